// The page: who is logged in, which screen the address names, and the keys.
import { Agent } from "./agent.js";
import { Fleet } from "./fleet.js";
import { html, render, useEffect, useState } from "./html.js";
import { List, LISTS } from "./lists.js";
import { Login } from "./login.js";
import { Link } from "./parts.js";
import { ask, Live, prefix } from "./server.js";
import { clock, plain, span } from "./words.js";

const SCREENS = [["", "Fleet"], ["events", "Events"], ["exits", "Exits"], ["alerts", "Alerts"], ["commands", "Commands"], ["hubs", "Hubs"], ["users", "Users"]];
const KEYS = [["/", "search"], ["j, k", "next, previous container"], ["Enter", "open it"], ["g", "the fleet"], ["t", "dark or light"], ["?", "these keys"]];

function Notice({ live, now }) {
  if (live.lost) return html`<p class="notice bad" role="status">▲ the console does not answer since ${clock(live.lost)}; this page goes on by itself</p>`;
  const contact = live.fleet && live.fleet.contact;
  if (!contact || contact.up) return null;
  return html`<p class="notice bad" role="status">▲ no hub answers since ${clock(contact.since)} (${span(now - contact.since)}): what you see is from then. ${plain(contact.error)}</p>`;
}

function Page({ who, live, leave }) {
  const [place, move] = useState(location.href);
  const [said, say] = useState("");
  const [help, show] = useState(false);
  const [at, step] = useState("");
  const [now, tick] = useState(Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now() / 1000), 1000);
    const back = () => move(location.href);
    addEventListener("popstate", back);
    return () => {
      clearInterval(timer);
      removeEventListener("popstate", back);
    };
  }, []);
  const go = (to) => {
    history.pushState(null, "", to);
    move(location.href);
    say("");
  };
  const url = new URL(place);
  const path = url.pathname.slice(prefix.length).replace(/^\/|\/$/g, "");
  const find = (words) => {
    for (const [name, value] of Object.entries(words)) value ? url.searchParams.set(name, value) : url.searchParams.delete(name);
    history.replaceState(null, "", url);
    move(url.href);
  };
  useEffect(() => {
    const press = (event) => {
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
      const rows = [...document.querySelectorAll("[data-agent]")].map((node) => node.dataset.agent);
      const here = rows.indexOf(at);
      const act = {
        "/": () => (event.preventDefault(), document.getElementById("search")?.focus()),
        j: () => rows.length && step(rows[Math.min(here + 1, rows.length - 1)]),
        k: () => rows.length && step(rows[Math.max(here - 1, 0)]),
        Enter: () => at && path === "" && go(`${prefix}/agents/${at}`),
        g: () => go(`${prefix}/`),
        t: turn,
        "?": () => show((before) => !before),
        Escape: () => show(false),
      }[event.key];
      if (act) act();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [at, path]);
  const fleet = live.fleet;
  const screen = () => {
    if (LISTS[path]) return html`<${List} kind=${path} key=${path} />`;
    if (!fleet) return html`<p class="empty">looking at the fleet …</p>`;
    if (path.startsWith("agents/")) return html`<${Agent} key=${path} agent=${decodeURIComponent(path.slice(7))} ...${{ fleet, who, go, say, now }} />`;
    return html`<${Fleet} ...${{ fleet, query: url.searchParams, find, go, at }} />`;
  };
  const away = live.lost || (fleet && fleet.contact && !fleet.contact.up);
  return html`
    <header class="bar">
      <b class="brand">pidone</b>
      <nav aria-label="Screens">${SCREENS.filter(([name]) => name !== "users" || who.role === "admin").map(([name, label]) => html`
        <${Link} to=${`${prefix}/${name}`} go=${go} aria-current=${path === name ? "page" : undefined}>${label}<//>`)}</nav>
      <span class="who">${plain(who.user)} <small>${who.role}</small></span>
      <button onClick=${turn} title="dark or light (t)">◐<span class="hidden"> dark or light</span></button>
      <button onClick=${leave}>Log out</button>
    </header>
    <${Notice} live=${live} now=${now} />
    <main class=${away ? "old" : ""}>${screen()}</main>
    ${said && html`<p class="toast" role="status">${plain(said)} <button onClick=${() => say("")}>✕<span class="hidden"> close</span></button></p>`}
    ${help && html`<aside class="help" role="dialog" aria-label="Keys"><h2>Keys</h2><dl>${KEYS.map(([key, what]) => html`<dt>${key}</dt><dd>${what}</dd>`)}</dl></aside>`}`;
}

function turn() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
}

function App() {
  const [who, enter] = useState(undefined);
  const [first, begin] = useState(false);
  const [live, see] = useState(null);
  const [, again] = useState(0);
  const look = () =>
    ask("GET", "/session").then(enter, (problem) => {
      begin(problem.code === "setup");
      if (problem.status === 401) enter(null);
      else setTimeout(look, 2000);
    });
  useEffect(() => void look(), []);
  useEffect(() => {
    if (!who) return undefined;
    const stream = new Live(() => again((count) => count + 1), () => enter(null));
    see(stream);
    return () => stream.end();
  }, [who && who.user]);
  if (who === undefined) return html`<p class="empty">…</p>`;
  if (who === null) {
    const entered = (said) => {
      if (location.pathname.endsWith("/login")) history.replaceState(null, "", `${prefix}/`);
      enter(said);
    };
    return html`<${Login} first=${first} entered=${entered} />`;
  }
  const leave = () => ask("DELETE", "/session").finally(() => (begin(false), enter(null)));
  return live ? html`<${Page} who=${who} live=${live} leave=${leave} />` : null;
}

const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
render(html`<${App} />`, document.getElementById("page"));
