// One container: its programs, what they do, and what can be done with them.
import { html, useEffect, useState } from "./html.js";
import { Confirm, Link, State } from "./parts.js";
import { ask, prefix } from "./server.js";
import { bytes, clock, cpu, plain, span } from "./words.js";

const VERBS = ["restart", "start", "stop"];

export function Agent({ fleet, agent, who, go, say, now }) {
  const [picked, pick] = useState(new Set());
  const [asked, confirm] = useState(null);
  const one = (fleet.agents || {})[agent];
  const programs = Object.values(fleet.programs || {}).filter((row) => row.agent === agent);
  if (!one) return html`<p class="empty">There is no such container, or it is not yours to see.</p>`;
  const targets = () => (picked.size ? programs.filter((row) => picked.has(row.process)) : programs);
  const wish = (verb) => confirm({ verb, title: `${verb} ${targets().length} program(s) of ${plain(one.name)}?`,
    targets: targets().map((row) => row.process) });
  const command = async (yes) => {
    const { verb, targets: names } = asked;
    confirm(null);
    if (!yes) return;
    try {
      const row = await ask("POST", "/commands", { verb, targets: names.map((name) => `${agent}/${name}`), hold: 3 },
        { "idempotency-key": crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) });
      say(`${verb}: ${row.state}${row.error ? ` — ${row.error}` : ""}`);
    } catch (problem) {
      say(`${verb} refused: ${problem.message}`);
    }
  };
  const toggle = (name) => pick((before) => {
    const after = new Set(before);
    if (!after.delete(name)) after.add(name);
    return after;
  });
  return html`
    <header class="head">
      <${Link} to=${`${prefix}/`} go=${go}>Fleet<//> <span aria-hidden="true">/</span> <h1>${plain(one.name)}</h1> <${State} word=${one.presence} />
      <small>${plain(one.engine || "")} ${one.stale ? "· these figures are old" : ""}</small>
    </header>
    ${who.role !== "viewer" && html`
      <p class="verbs">${VERBS.map((verb) => html`<button onClick=${() => wish(verb)} disabled=${!programs.length}>${verb} ${picked.size || "all"}</button>`)}</p>`}
    <table class="programs">
      <caption>Programs</caption>
      <thead><tr><th><span class="hidden">picked</span></th><th>program</th><th>state</th><th>for</th><th>cpu</th><th>memory</th><th>restarts</th><th>last</th></tr></thead>
      <tbody>${programs.map((row) => html`
        <tr key=${row.process} class=${row.stale ? "stale" : ""}>
          <td><input type="checkbox" aria-label=${`pick ${plain(row.process)}`} checked=${picked.has(row.process)} onChange=${() => toggle(row.process)} /></td>
          <td>${plain(row.process)}</td><td><${State} word=${row.state} /></td>
          <td>${span(row.born ? now - row.born : row.since ? now - row.since : undefined)}</td>
          <td class="figure">${cpu(row.cpu)}</td><td class="figure">${bytes(row.rss)}</td><td class="figure">${row.restarts ?? "–"}</td>
          <td class="why">${plain(row.why || "")}</td></tr>`)}
      </tbody>
    </table>
    <${Confirm} asked=${asked} done=${command} />
    <${History} target=${`${agent}/*`} />`;
}

function History({ target }) {
  const [rows, put] = useState(null);
  useEffect(() => {
    let over = false;
    const read = async () => {
      try {
        const found = await ask("GET", `/exits?target=${encodeURIComponent(target)}&limit=50`);
        if (!over) put(found.rows.reverse());
      } catch {
        if (!over) put([]);
      }
    };
    read();
    const timer = setInterval(read, 5000);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [target]);
  if (!rows) return html`<p class="empty">reading what ended here …</p>`;
  return html`
    <h2>What ended</h2>
    ${rows.length === 0 && html`<p class="empty">Nothing yet.</p>`}
    <ul class="timeline">${rows.map((row) => html`
      <li><time>${clock(row.at)}</time> <b>${plain(row.program || row.process || "")}</b> ${plain(row.end || "")} <span>${plain(row.who || "")}</span></li>`)}
    </ul>`;
}
