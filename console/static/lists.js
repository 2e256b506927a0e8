// Screens that are one list: events, exits, alerts, commands, hubs, users.
import { html, useEffect, useState } from "./html.js";
import { State } from "./parts.js";
import { ask } from "./server.js";
import { clock, plain } from "./words.js";

export const LISTS = {
  events: ["Events", "/events?limit=200", [["at", clock], ["agent_name"], ["kind"], ["text", (_, row) => words(row)]], true],
  exits: ["Exits", "/exits?limit=200", [["at", clock], ["agent_name"], ["program"], ["end"], ["who"]], true],
  alerts: ["Alerts", "/alerts?all=true", [["state", "state"], ["severity"], ["rule"], ["host"], ["summary"], ["since", clock]], false],
  commands: ["Commands", "/commands?limit=200", [["created_at", clock], ["actor"], ["verb"], ["target"], ["state", "state"], ["error"]], false],
  hubs: ["Hubs", "/hubs", [["hub"], ["state", "state"], ["agents"], ["capacity"], ["version"], ["epoch"]], false],
  users: ["Users", "/users", [["name"], ["role"], ["scope", (value) => JSON.stringify(value)], ["by"], ["disabled", String]], false],
};

const SKIP = new Set(["position", "at", "agent", "agent_name", "kind", "boot", "seq", "age", "stale", "mono", "agent_at"]);
const words = (row) =>
  Object.entries(row).filter(([name, value]) => !SKIP.has(name) && value !== null && typeof value !== "object").map(([name, value]) => `${name} ${value}`).join(", ");

export function List({ kind }) {
  const [title, path, columns, reversed] = LISTS[kind];
  const [rows, put] = useState(null);
  const [problem, tell] = useState(null);
  useEffect(() => {
    let over = false;
    const read = () =>
      ask("GET", path).then(
        (found) => over || (put(reversed ? found.rows.reverse() : found.rows), tell(null)),
        (error) => over || tell(error),
      );
    read();
    const timer = setInterval(read, 3000);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [kind]);
  const cell = (row, [name, show]) =>
    show === "state" ? html`<${State} word=${row[name]} />` : plain(show ? show(row[name], row) : row[name]);
  return html`
    <h1>${title}</h1>
    ${problem && html`<p class="problem" role="alert">${problem.message}</p>`}
    ${rows && !rows.length && html`<p class="empty">Nothing.</p>`}
    ${rows && rows.length > 0 && html`
      <div class="scroll" tabindex="0" role="region" aria-label=${title}><table>
        <thead><tr>${columns.map(([name]) => html`<th>${name.replace("_", " ")}</th>`)}</tr></thead>
        <tbody>${rows.map((row) => html`<tr>${columns.map((column) => html`<td>${cell(row, column)}</td>`)}</tr>`)}</tbody>
      </table></div>`}`;
}
