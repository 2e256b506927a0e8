// Talks to the console: questions as JSON, and the one stream of the page.
export const prefix = document.documentElement.dataset.prefix;

let csrf = "";

export class Problem extends Error {
  constructor(status, said) {
    super(said.detail || `the console answered ${status}`);
    Object.assign(this, { status, code: said.code || "", cure: said.cure || "" });
  }
}

export async function ask(method, path, body, headers = {}) {
  const answer = await fetch(`${prefix}/api/v1${path}`, {
    method,
    headers: { accept: "application/json", "x-csrf-token": csrf, ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  const said = text ? JSON.parse(text) : {};
  if (!answer.ok) throw new Problem(answer.status, said);
  if (said.csrf) csrf = said.csrf;
  return said;
}

// The fleet as the stream tells it.  A patch whose number does not follow the last one means that something was missed:
// then the stream is opened anew and begins with a snapshot.
export class Live {
  constructor(changed, over) {
    this.changed = changed;
    this.over = over;
    this.fleet = null;
    this.lost = null;
    this.open();
  }

  open() {
    this.source = new EventSource(`${prefix}/api/v1/stream`);
    this.source.addEventListener("snapshot", (event) => this.snapshot(JSON.parse(event.data)));
    this.source.addEventListener("patch", (event) => this.patch(JSON.parse(event.data)));
    this.source.addEventListener("contact", (event) => this.put(JSON.parse(event.data)));
    this.source.addEventListener("over", () => this.end(this.over));
    this.source.onerror = () => this.away();
  }

  end(then) {
    this.source.close();
    if (then) then();
  }

  async away() {
    this.lost = this.lost || Date.now() / 1000;
    this.changed();
    try {
      await ask("GET", "/session");
    } catch (problem) {
      if (problem.status === 401) this.end(this.over);
    }
    if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), 2000);
  }

  snapshot(said) {
    this.lost = null;
    this.fleet = said;
    this.changed();
  }

  put(said) {
    if (this.fleet) this.fleet = { ...this.fleet, ...said };
    this.changed();
  }

  patch({ seq, at, ...tables }) {
    if (!this.fleet || seq !== this.fleet.seq + 1) {
      this.source.close();
      this.open();
      return;
    }
    const fleet = { ...this.fleet, seq, at };
    for (const [name, rows] of Object.entries(tables)) {
      const table = { ...fleet[name] };
      for (const [key, row] of Object.entries(rows)) {
        if (row === null) delete table[key];
        else table[key] = row;
      }
      fleet[name] = table;
    }
    this.fleet = fleet;
    this.changed();
  }
}
