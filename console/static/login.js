// Login, and the first account of a console that has none.
import { html, useState } from "./html.js";
import { ask } from "./server.js";

export function Login({ first, entered }) {
  const [said, say] = useState({ code: "", user: "", password: "" });
  const [problem, tell] = useState(null);
  const field = (name, label, type, hint) => html`
    <label>${label}
      <input name=${name} type=${type} value=${said[name]} autocomplete=${hint} required
        onInput=${(event) => say({ ...said, [name]: event.target.value })} />
    </label>`;
  const send = async (event) => {
    event.preventDefault();
    tell(null);
    try {
      const { code, user, password } = said;
      entered(await (first ? ask("POST", "/setup", { code, user, password }) : ask("POST", "/session", { user, password })));
    } catch (error) {
      tell(error);
    }
  };
  return html`
    <main class="door">
      <form onSubmit=${send}>
        <h1>pidone</h1>
        <p>${first ? "Nobody has an account here yet. The code is on the terminal where consoled was started." : "Log in to see the fleet."}</p>
        ${first && field("code", "Setup code", "text", "one-time-code")}
        ${field("user", "Name", "text", "username")}
        ${field("password", "Password", "password", first ? "new-password" : "current-password")}
        ${problem && html`<p class="problem" role="alert">${problem.message}${problem.cure && ` — ${problem.cure}`}</p>`}
        <button class="main">${first ? "Create the first admin" : "Log in"}</button>
      </form>
    </main>`;
}
