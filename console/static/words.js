// Figures and states in words; pure.
export const bytes = (value) => {
  if (value === undefined || value === null) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let step = 0;
  while (value >= 1024 && step < units.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${value < 10 && step ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
};

export const cpu = (value) => (value === undefined || value === null ? "–" : `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`);

export const span = (seconds) => {
  if (seconds === undefined || Number.isNaN(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
};

export const clock = (at) => (at ? new Date(1000 * at).toLocaleString() : "–");

// A glyph and a word beside every colour: [class, glyph].
const LOOKS = {
  running: ["good", "●"], live: ["good", "●"], up: ["good", "●"], done: ["good", "✓"], ready: ["good", "●"],
  starting: ["wait", "◌"], stopping: ["wait", "◌"], expected: ["wait", "◌"], late: ["wait", "◔"], accepted: ["wait", "◌"],
  delivered: ["wait", "◌"], pending: ["wait", "◌"], restarting: ["wait", "↻"],
  backoff: ["bad", "▲"], fatal: ["bad", "✕"], lost: ["bad", "✕"], failed: ["bad", "✕"], firing: ["bad", "▲"], expired: ["bad", "✕"],
  dead: ["bad", "✕"], exited: ["calm", "○"], stopped: ["calm", "○"], gone: ["calm", "○"], created: ["calm", "○"], paused: ["calm", "‖"],
};

export const look = (word) => LOOKS[String(word).toLowerCase()] || ["calm", "·"];

const TROUBLE = new Set(["FATAL", "BACKOFF", "fatal", "backoff"]);
export const failing = (program) => TROUBLE.has(program.state);

// What cannot be seen is shown as a mark: escapes, controls, and marks that turn the direction of text.
export const plain = (text) =>
  String(text ?? "").replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, (sign) =>
    sign === "\n" ? "\u23ce" : `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
