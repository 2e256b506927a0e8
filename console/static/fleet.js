// The fleet: what needs attention first, then everything, filtered by what the address says.
import { html, useMemo } from "./html.js";
import { Link, Rows, State } from "./parts.js";
import { prefix } from "./server.js";
import { bytes, cpu, failing, plain } from "./words.js";

const values = (table) => Object.values(table || {});

export function counts(fleet) {
  const agents = values(fleet.agents);
  return {
    agents: agents.filter((one) => one.presence !== "gone").length,
    lost: agents.filter((one) => one.presence === "lost").length,
    late: agents.filter((one) => one.presence === "late").length,
    failing: values(fleet.programs).filter(failing).length,
    storms: values(fleet.storms).filter((one) => !one.ended).length,
    oom: values(fleet.containers).filter((one) => one.oom_killed).length,
    alerts: values(fleet.alerts).length,
  };
}

function troubles(fleet) {
  const found = new Map();
  const add = (agent, word) => found.set(agent, [...(found.get(agent) || []), word]);
  values(fleet.agents).forEach((one) => ["lost", "late"].includes(one.presence) && add(one.agent, one.presence));
  values(fleet.programs).forEach((one) => failing(one) && add(one.agent, "failing"));
  values(fleet.storms).forEach((one) => !one.ended && add(one.agent, "storms"));
  values(fleet.containers).forEach((one) => one.oom_killed && one.agent && add(one.agent, "oom"));
  return found;
}

function chosen(fleet, words, only) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const trouble = troubles(fleet);
  const programs = new Map();
  values(fleet.programs).forEach((one) => programs.set(one.agent, [...(programs.get(one.agent) || []), one]));
  return values(fleet.agents)
    .map((one) => ({ ...one, trouble: trouble.get(one.agent) || [], own: programs.get(one.agent) || [] }))
    .filter((one) => one.presence !== "gone" && (!only || one.trouble.includes(only)))
    .filter((one) => {
      const text = [one.name, one.agent, one.engine, ...Object.values(one.labels || {}), ...one.own.map((p) => p.process)].join(" ").toLowerCase();
      return wanted.every((word) => text.includes(word));
    })
    .sort((a, b) => (b.trouble.length > 0) - (a.trouble.length > 0) || String(a.name).localeCompare(String(b.name)));
}

const COUNTERS = [["agents", "agents", ""], ["lost", "lost", "lost"], ["late", "late", "late"], ["failing", "failing", "failing"],
  ["storms", "storms", "storms"], ["oom", "OOM", "oom"], ["alerts", "alerts", null]];

export function Fleet({ fleet, query, find, go, at }) {
  const sums = counts(fleet);
  const words = query.get("q") || "";
  const only = query.get("only") || "";
  const rows = useMemo(() => chosen(fleet, words, only), [fleet, words, only]);
  const counter = ([name, label, filter]) => html`
    <button class="counter ${sums[name] && filter !== "" ? "bad" : ""}" aria-pressed=${filter !== null && only === filter}
      onClick=${() => (filter === null ? go(`${prefix}/alerts`) : find({ only: filter }))}>
      <b>${sums[name]}</b> ${label}</button>`;
  return html`
    <section class="counters" aria-label="Counters">${COUNTERS.map(counter)}</section>
    <label class="search">Search
      <input id="search" type="search" value=${words} placeholder="name, label, program"
        onInput=${(event) => find({ q: event.target.value })} /></label>
    ${rows.length === 0 && html`<p class="empty">${sums.agents ? "Nothing here fits." : "No container has joined yet: hubctl token create makes a join string."}</p>`}
    <${Rows} rows=${rows} height=${56} label="Containers" row=${(one, index) => html`
      <div class="row ${one.stale ? "stale" : ""} ${at === one.agent ? "at" : ""}" role="listitem" key=${one.agent} data-agent=${one.agent}>
        <${Link} class="name" to=${`${prefix}/agents/${one.agent}`} go=${go}>${plain(one.name || one.agent)}<//>
        <${State} word=${one.presence} />
        <span class="programs">${one.own.slice(0, 12).map((p) => html`<${State} key=${p.process} word=${p.state} />`)}
          <small>${one.own.length} programs${one.trouble.length ? ` · ${[...new Set(one.trouble)].join(", ")}` : ""}</small></span>
        <span class="figure">${cpu(one.cpu)}</span><span class="figure">${bytes(one.memory)}</span>
        <small class="where">${plain(one.engine || "")}</small>
      </div>`} />`;
}
