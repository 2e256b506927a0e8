// Parts that all screens use.
import { html, useEffect, useRef, useState } from "./html.js";
import { look, plain } from "./words.js";

export function State({ word }) {
  const [kind, glyph] = look(word);
  return html`<span class="state ${kind}"><span aria-hidden="true">${glyph}</span> ${plain(word)}</span>`;
}

export function Link({ to, go, children, ...more }) {
  const follow = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(to);
  };
  return html`<a href=${to} onClick=${follow} ...${more}>${children}</a>`;
}

// Of many rows only those in sight are in the document; all have the same height, in pixels.
export function Rows({ rows, height, row, label }) {
  const box = useRef(null);
  const [view, see] = useState({ top: 0, height: 600 });
  useEffect(() => {
    const look = () => box.current && see({ top: box.current.scrollTop, height: box.current.clientHeight || 600 });
    look();
    addEventListener("resize", look);
    return () => removeEventListener("resize", look);
  }, [rows.length]);
  const first = Math.max(0, Math.floor(view.top / height) - 8);
  const shown = rows.slice(first, first + Math.ceil(view.height / height) + 16);
  return html`
    <div class="rows" ref=${box} tabindex="0" role="list" aria-label=${label}
      onScroll=${(event) => see({ top: event.target.scrollTop, height: event.target.clientHeight })}>
      <div ref=${(node) => node && (node.style.height = `${rows.length * height}px`)}>
        <div ref=${(node) => node && (node.style.transform = `translateY(${first * height}px)`)}>
          ${shown.map(row)}
        </div>
      </div>
    </div>`;
}

// Asks once before something is done to so many.
export function Confirm({ asked, done }) {
  const box = useRef(null);
  useEffect(() => {
    if (asked && box.current && !box.current.open) box.current.showModal();
  }, [asked]);
  if (!asked) return null;
  const answer = (yes) => {
    box.current.close();
    done(yes);
  };
  return html`
    <dialog ref=${box} onCancel=${() => done(false)} aria-label="Confirm">
      <h2>${asked.title}</h2>
      <ul>${asked.targets.slice(0, 8).map((name) => html`<li>${plain(name)}</li>`)}</ul>
      ${asked.targets.length > 8 && html`<p>and ${asked.targets.length - 8} more</p>`}
      <p class="choices">
        <button onClick=${() => answer(false)}>Leave it</button>
        <button class="main danger" onClick=${() => answer(true)}>${asked.verb} ${asked.targets.length}</button>
      </p>
    </dialog>`;
}
