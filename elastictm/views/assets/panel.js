// The panel of the past.  The kernel makes the list of states; this gives it buttons, and sends what they ask for.
// In a notebook the list is an ordinary output, so that it is there without a kernel, too: while there is one, the
// element around it finds its panel here by number, and comes alive.

const SOON = 300;
const panels = (globalThis[Symbol.for("elastictm.panels")] ??= new Map());

if (!customElements.get("elastictm-past")) {
  customElements.define("elastictm-past", class extends HTMLElement {
    connectedCallback() { panels.get(this.dataset.panel)?.attach(this); }
    disconnectedCallback() { panels.get(this.dataset.panel)?.detach(this); }
  });
}

const BUSY = "The kernel is busy; this will be done when the cell ends.";
const ENDED = "The kernel of this panel has ended: this is what it showed last. In a new one, %past recover brings the "
  + "last state back.";
const STALE = "Cells have run since; this list is brought up to date once the kernel is free.";

function made(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "click") node.addEventListener("click", value);
    else if (name === "disabled") node.disabled = value;
    else if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function button(text, label, action, disabled = false) {
  return made("button", { type: "button", "aria-label": label, title: label, click: action, disabled }, text);
}

/** The number of the state that a list says one is at. */
const hereIn = (html) => /data-here="(\d*)"/.exec(html)?.[1];

/** One panel: what the kernel told last, and every place in the page that shows it. */
class Panel {
  constructor(model) {
    this.model = model;
    this.id = model.get("panel");
    this.views = new Map();
    this.told = { html: "", made: "" };
    this.open = new Map();
    this.all = false;
    this.current = null;
    this.pending = null;
    this.report = null;
    this.notice = "";
    this.wrong = false;
    this.stale = false;
    this.ended = "";
    this.count = 0;
    this.looked = 0;
    this.hear = (content) => this.heard(content);
    model.on("msg:custom", this.hear);
    // Plain keys are the panel's while it has the focus; those with Ctrl or Alt stay the notebook's shortcuts.
    this.keys = (event) => {
      for (const root of this.views.values()) {
        const plain = root.contains(event.target) && !(event.ctrlKey || event.metaKey || event.altKey);
        root.toggleAttribute("data-lm-suppress-shortcuts", plain);
      }
    };
    this.kernel = model.widget_manager?.kernel ?? null;
    this.changed = (_, status) => this.kernelIs(status);
    this.gone = () => this.end(ENDED);
    this.kernel?.statusChanged?.connect(this.changed);
    this.kernel?.disposed?.connect(this.gone);
  }

  /** Show the panel in an element of the page, in place of what is there. */
  attach(place) {
    if (this.views.has(place)) return;
    const root = made("div", { class: "etm-past" });
    this.views.set(place, root);
    window.addEventListener("keydown", this.keys, true);
    this.style ??= place.querySelector("style")?.textContent ?? this.model.get("style") ?? "";
    this.still ??= place.firstElementChild;
    if (this.told.html || !place.firstElementChild) {
      place.replaceChildren(root);
      this.draw(root);
    }
    if (!this.ended) this.look();
  }

  detach(place) {
    this.views.delete(place);
    if (!this.views.size) window.removeEventListener("keydown", this.keys, true);
    if (!this.views.size && !this.ended) this.send({ leave: true });
  }

  send(content) {
    try {
      this.model.send(content);
    } catch {
      this.end(ENDED);
    }
  }

  look() {
    clearTimeout(this.looking);
    this.looked = Date.now();
    this.send({ look: true, all: this.all });
  }

  /** Ask for what one would type after %past. */
  ask(words, about, n = null) {
    if (this.pending || this.ended) return;
    const id = `${this.id}-${(this.count += 1)}`;
    this.pending = { id, words, about, n, sent: false };
    this.notice = "";
    this.wrong = false;
    const pending = this.pending;
    pending.timer = setTimeout(() => { if (this.pending === pending && !pending.begun) this.slow(); }, SOON);
    // Most kernels hear nothing while a cell runs: what waits here can be taken back.
    if (this.kernel?.status !== "busy") this.go();
    this.drawAll();
  }

  go() {
    this.pending.sent = true;
    this.send({ id: this.pending.id, words: this.pending.words });
  }

  slow() {
    this.pending.slow = true;
    this.drawAll();
  }

  takeBack() {
    const pending = this.pending;
    if (!pending) return;
    if (pending.sent) this.send({ cancel: pending.id });
    else this.settle("Taken back: nothing was done.");
  }

  settle(notice, wrong = false) {
    clearTimeout(this.pending?.timer);
    this.pending = null;
    this.notice = notice;
    this.wrong = wrong;
    this.drawAll();
  }

  kernelIs(status) {
    if (["restarting", "autorestarting", "terminating", "dead"].includes(status)) this.end(ENDED);
    else if (status === "idle" && this.pending && !this.pending.sent) this.go();
  }

  heard(content) {
    if (content.begun === this.pending?.id && this.pending) {
      this.pending.begun = true;
      this.pending.slow = false;
    } else if (content.queued === this.pending?.id && this.pending) {
      this.pending.slow = true;
    } else if (content.cancelled) {
      if (content.cancelled === this.pending?.id) this.settle("Taken back: nothing was done.");
    } else if (content.moved) {
      this.moved();
      return;
    } else if (content.closed) {
      this.end(content.closed);
      return;
    }
    if (content.html !== undefined) {
      // What was said of one state is of the past in another.
      if (!this.wrong && this.told.html && hereIn(content.html) !== hereIn(this.told.html)) this.notice = "";
      this.told = content;
      this.stale = false;
      clearTimeout(this.staling);
      if (content.partial) this.lookLater(1000);
    }
    if (content.answer !== undefined) this.answered(content);
    this.drawAll();
  }

  answered({ answer, error, report }) {
    const pending = this.pending;
    if (!pending || answer !== pending.id) return;
    clearTimeout(pending.timer);
    this.pending = null;
    this.wrong = Boolean(error);
    this.notice = error || "";
    if (error) return;
    if (pending.n !== null && this.open.has(pending.n)) {
      this.open.set(pending.n, { html: report });
    } else {
      // Elsewhere now, what was compared with is another state.
      for (const n of this.open.keys()) this.open.set(n, null);
      this.report = report;
    }
  }

  /** Cells have run: ask anew, at most once a second. */
  moved() {
    this.staling = setTimeout(() => { this.stale = true; this.drawAll(); }, 2 * SOON);
    this.lookLater(Math.max(100, 1000 - (Date.now() - this.looked)));
  }

  lookLater(wait) {
    clearTimeout(this.looking);
    this.looking = setTimeout(() => { if (this.views.size && !this.ended) this.look(); }, wait);
  }

  end(why) {
    if (this.ended) return;
    this.ended = why;
    this.pending = null;
    clearTimeout(this.looking);
    clearTimeout(this.staling);
    panels.delete(this.id);
    this.kernel?.statusChanged?.disconnect(this.changed);
    this.kernel?.disposed?.disconnect(this.gone);
    if (!this.told.html) this.told = { html: this.still?.innerHTML ?? "", made: "" };
    this.drawAll();
  }

  drawAll() {
    if (!this.told.html) return;
    for (const [place, root] of this.views) {
      if (root.parentNode !== place) place.replaceChildren(root);
      this.draw(root);
    }
  }

  draw(root) {
    const scroll = root.querySelector(".etm-scroll")?.scrollTop;
    const held = root.contains(document.activeElement) ? document.activeElement : null;
    const focus = held?.dataset.key;
    const typed = held?.tagName === "INPUT" ? held.value : null;
    root.replaceChildren(made("style", {}, this.style));
    const list = made("div");
    list.innerHTML = this.told.html;
    root.append(...list.childNodes);
    root.toggleAttribute("data-ended", Boolean(this.ended));
    root.setAttribute("role", "region");
    root.setAttribute("aria-label", "The past of this session");
    const head = root.querySelector(".etm-head");
    if (!this.ended) head?.append(this.tools(head.dataset));
    head?.after(this.saying());
    for (const row of [...root.querySelectorAll("tr.etm-state")]) this.enliven(row, root);
    if (this.report !== null) root.append(this.told_of());
    const box = root.querySelector(".etm-scroll");
    if (box && scroll !== undefined) box.scrollTop = scroll;
    else if (box) requestAnimationFrame(() => this.scrollHere(box));
    // One click at a time; a button that were disabled meanwhile would lose the focus.
    const still = this.pending ? root.querySelectorAll("button:not([data-key^='open']):not([data-key='back'])") : [];
    for (const one of still) one.setAttribute("aria-disabled", "true");
    if (focus) {
      const again = root.querySelector(`[data-key="${focus}"]:enabled`);
      if (again && typed !== null) again.value = typed;
      const beside = root.querySelector(`[data-key="open-${focus.split("-")[1]}"]`);
      (again ?? beside ?? root.querySelector("tr[aria-current] button"))?.focus({ preventScroll: true });
    }
  }

  scrollHere(box) {
    const here = box.querySelector("tr[aria-current]");
    if (here) box.scrollTop = here.offsetTop - box.clientHeight / 2;
  }

  tools({ undo, redo, hidden }) {
    const undone = undo ? `Undo: go back to state ${undo}` : "There is nothing to undo";
    const redone = redo ? `Redo: go forward to state ${redo}` : "There is nothing to redo";
    const found = [
      button("↶ Undo", undone, () => this.ask(["undo"], `going back to state ${undo}`), !undo),
      button("↷ Redo", redone, () => this.ask(["redo"], `going forward to state ${redo}`), !redo),
    ];
    if (Number(hidden) || this.all) {
      const label = this.all ? "Show the latest states only" : `Show ${hidden} earlier states, too`;
      found.push(button(this.all ? "Show latest" : "Show all", label, () => this.showAll()));
    }
    for (const [key, node] of ["undo", "redo", "all"].map((key, i) => [key, found[i]])) if (node) node.dataset.key = key;
    return made("div", { class: "etm-tools", role: "toolbar", "aria-label": "The past" }, ...found);
  }

  showAll() {
    this.all = !this.all;
    this.ask(this.all ? ["--all"] : [], "listing states");
  }

  /** The line that tells how things are. */
  saying() {
    const line = made("div", { class: "etm-say", role: "status", "aria-live": "polite" });
    const pending = this.pending;
    if (this.ended) line.append(this.ended);
    else if (pending?.slow) {
      const back = button("Take back", "Take this back before it is done", () => this.takeBack());
      back.dataset.key = "back";
      line.append(`${BUSY} (%past ${pending.words.join(" ")})`, back);
    } else if (pending?.begun) line.append(`… ${pending.about}`);
    else if (this.notice) line.append(this.notice);
    else if (this.stale) line.append(STALE);
    line.classList.toggle("etm-wrong", this.wrong && !pending && !this.ended);
    return line;
  }

  told_of() {
    const close = button("×", "Close this report", () => { this.report = null; this.drawAll(); });
    const box = made("div", { class: "etm-told", role: "region", "aria-label": "What was done" });
    box.innerHTML = this.report;
    box.prepend(close);
    return box;
  }

  enliven(row, root) {
    const n = row.dataset.n;
    const here = row.hasAttribute("aria-current");
    const number = row.querySelector(".etm-n");
    const open = this.open.has(n);
    const head = root.querySelector(".etm-head").dataset;
    const current = this.current ?? head.here;
    const toggle = () => this.toggle(n);
    const label = `State ${n}${here ? ", you are here" : ""}: details`;
    const opener = made("button", {
      type: "button", "aria-expanded": String(open), "aria-label": label, "data-key": `open-${n}`,
      tabindex: n === current ? "0" : "-1",
    }, n);
    opener.addEventListener("keydown", (event) => this.steer(event, n, root));
    opener.addEventListener("focus", () => { this.current = n; });
    number.replaceChildren(opener);
    row.classList.add("etm-live-row");
    row.addEventListener("click", (event) => {
      if (event.target.closest("button") && event.target.closest("button") !== opener) return;
      this.current = n;
      toggle();
      root.querySelector(`[data-key="open-${n}"]`)?.focus({ preventScroll: true });
      this.reveal(root, n);
    });
    if (!here && !this.ended) {
      const go = button("Go", `Go to state ${n}`, () => this.travel(n));
      go.dataset.key = `go-${n}`;
      row.querySelector(".etm-go").replaceChildren(go);
    }
    if (open) row.after(this.detail(row, n, here, head.here));
  }

  /** Have what was opened in sight, without moving the notebook. */
  reveal(root, n) {
    const box = root.querySelector(".etm-scroll");
    const detail = root.querySelector(`tr[data-n="${n}"] + .etm-detail`);
    const over = detail ? detail.offsetTop + detail.offsetHeight - box.scrollTop - box.clientHeight : 0;
    if (over > 0) box.scrollTop += over;
  }

  travel(n) {
    this.ask([n], `going to state ${n}`);
  }

  toggle(n) {
    if (this.open.has(n)) this.open.delete(n);
    else this.open.set(n, null);
    this.drawAll();
  }

  steer(event, n, root) {
    const rows = [...root.querySelectorAll("tr.etm-state")].map((row) => row.dataset.n);
    const at = rows.indexOf(n);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    const opens = (event.key === "ArrowRight" && !this.open.has(n)) || (event.key === "ArrowLeft" && this.open.has(n));
    if (opens) this.toggle(n);
    else if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (rows[to] === undefined) return;
    for (const other of rows) root.querySelector(`[data-key="open-${other}"]`).tabIndex = -1;
    const next = root.querySelector(`[data-key="open-${rows[to]}"]`);
    next.tabIndex = 0;
    next.focus();
  }

  detail(row, n, here, standing) {
    const goesOn = row.dataset.goesOn.split(" ").filter(Boolean).map(Number);
    const lines = row.querySelector("svg")?.cloneNode(false) ?? made("span");
    const namespace = "http://www.w3.org/2000/svg";
    for (const column of goesOn) {
      const line = document.createElementNS(namespace, "line");
      const x = column * 14 + 9;
      const places = { x1: x, x2: x, y1: "0", y2: "100%", class: `etm-c${column % 6}` };
      for (const [name, value] of Object.entries(places)) line.setAttribute(name, value);
      lines.append(line);
    }
    const doing = made("div", { class: "etm-doing" });
    const add = (key, text, label, action) => {
      const one = button(text, label, action, Boolean(this.ended));
      one.dataset.key = `${key}-${n}`;
      doing.append(one);
    };
    if (!here) {
      add("there", "Go here", `Go to state ${n}`, () => this.travel(n));
      const compare = () => this.ask(["diff", standing, n], `comparing states ${standing} and ${n}`, n);
      add("diff", "What would change", `What differs between state ${standing}, where you are, and ${n}`, compare);
    }
    add("vars", "Variables", `The variables of state ${n}`, () => this.ask(["vars", n], `looking into state ${n}`, n));
    const field = made("input", { type: "text", "aria-label": `A name for state ${n}`, placeholder: "name this state" });
    field.dataset.key = `name-${n}`;
    field.disabled = Boolean(this.ended);
    const tag = () => {
      const name = field.value.trim();
      if (!name) return;
      field.value = "";
      this.ask(["tag", name, n], `tagging state ${n}`, n);
    };
    // Notebooks have ideas of their own on what Enter does.
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") tag();
    });
    doing.append(field);
    add("tag", "Tag", `Call state ${n} by this name`, tag);
    const shown = made("div", { class: "etm-shown", "aria-live": "polite" });
    const wrote = row.querySelector(".etm-wrote").title;
    const result = this.open.get(n);
    if (result) shown.innerHTML = result.html;
    else shown.append(made("span", { class: "etm-quiet" }, wrote ? `wrote ${wrote}` : "wrote no variable"));
    const first = made("td", { class: "etm-lines" }, lines);
    return made("tr", { class: "etm-detail" }, first, made("td", {}), made("td", { colspan: "6" }, doing, shown));
  }
}

export default {
  initialize({ model }) {
    const panel = new Panel(model);
    panels.set(panel.id, panel);
    for (const place of document.querySelectorAll("elastictm-past")) {
      if (place.dataset.panel === panel.id) panel.attach(place);
    }
    return () => panel.end(ENDED);
  },
  render({ model, el }) {
    const panel = panels.get(model.get("panel"));
    panel?.attach(el);
    return () => panel?.detach(el);
  },
};
