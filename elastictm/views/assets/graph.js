// The page of a history. It draws nothing: it moves, names and classes what the picture has.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { frame, rows, lanes, dots, rowFolds, laneFolds, outlook } = data;
  const stage = document.getElementById("stage");
  const svg = stage.querySelector("svg");
  const tip = document.getElementById("tip");
  const detail = document.getElementById("detail");
  const all = (selector, within = svg) => [...within.querySelectorAll(selector)];
  const numbered = (selector, key) => {
    const found = [];
    for (const node of all(selector)) found[Number(node.dataset[key])] = node;
    return found;
  };

  // ---- The shapes, by the number of their row, lane or version.

  const rowNodes = numbered(".etm-row[data-row]", "row");
  const rowFoldNodes = numbered("[data-row-fold]", "rowFold");
  // What lies in a fold is before the row that hears its clicks, and behind its label.
  const foldBacks = rowFoldNodes.map((node) => {
    const back = node.cloneNode(false);
    back.setAttribute("class", "etm-row etm-fold-back");
    back.append(node.querySelector(".etm-hit"));
    node.before(back);
    rowNodes[rowNodes.length - 1].after(node);
    return back;
  });
  const dotNodes = numbered(".etm-dot", "dot");
  const lifeNodes = numbered(".etm-life", "dot");
  const names = all(".etm-names");
  const nameNodes = names.map((group) => all("[data-lane]", group));
  const laneFoldNames = names.map((group) => all("[data-lane-fold]", group));
  const laneFoldLines = all(".etm-fold-line");
  const veil = names.length ? names[0].querySelector(".etm-veil") : null;
  const parts = rowNodes.map((node) => ({
    hidden: all(":scope > .etm-label, :scope > .etm-back", node),
    guide: node.querySelector(".etm-guide"),
    ties: all(".etm-tie", node),
    rings: all(".etm-ring", node),
    crosses: all(".etm-cross", node),
    bar: node.querySelector(".etm-bar"),
  }));
  rows.forEach((row, i) => parts[i].rings.forEach((ring, k) => { ring.dataset.dot = row.reads[k]; ring.dataset.of = i; }));
  dots.forEach((dot) => { dot.readers = []; });
  rows.forEach((row, i) => row.reads.forEach((dot) => dots[dot].readers.push(i)));

  // ---- Words.

  const amount = (size) => {
    for (const unit of ["B", "kB", "MB", "GB"]) {
      if (size < 1000) return `${unit === "B" || size >= 100 ? size.toFixed(0) : size.toFixed(1)} ${unit}`;
      size /= 1000;
    }
    return `${size.toFixed(1)} TB`;
  };
  const duration = (seconds) => {
    if (seconds === null || seconds === undefined) return "not possible";
    if (seconds < 0.001) return `${(seconds * 1e6).toFixed(0)} µs`;
    if (seconds < 1) return `${(seconds * 1000).toFixed(0)} ms`;
    return seconds < 120 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(0)} min`;
  };
  const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const WORDS = { s: "stored", r: "re-run", k: "kept", l: "lost" };
  const CLASSES = { s: "etm-stored", r: "etm-rerun", k: "etm-kept", l: "etm-lost" };
  const called = (dot) => `${lanes[dots[dot].lane].name}@${rows[dots[dot].row].n}`;
  const cellName = (i) => (rows[i].n ? `cell ${rows[i].n}` : "before recording");

  // ---- The plan.

  let fates = new Map();
  let speed = outlook ? outlook.bandwidth : 0;
  let layer = outlook && outlook.saved ? "saved" : "speed";
  const stretchAt = (bandwidth) =>
    outlook.stretches.find((each) => bandwidth <= each.high) || outlook.stretches[outlook.stretches.length - 1];

  function showPlan() {
    const plan = !outlook || layer === "none" ? null : layer === "saved" ? outlook.saved : stretchAt(speed);
    fates = new Map();
    if (plan) {
      plan.remade.forEach((dot) => fates.set(dot, "r"));
      outlook.targets.forEach((dot, k) => { if (plan.outcomes[k] !== "-") fates.set(dot, plan.outcomes[k]); });
    }
    const again = new Set(plan ? plan.cells : []);
    dotNodes.forEach((node, dot) => {
      for (const shape of [node, lifeNodes[dot]]) {
        for (const [key, name] of Object.entries(CLASSES)) shape.classList.toggle(name, fates.get(dot) === key);
      }
    });
    parts.forEach((part, i) => part.bar && part.bar.classList.toggle("etm-again", again.has(i)));
    if (outlook) tellPlan(plan);
    if (pinned) describe(pinned);
  }

  function tellPlan(plan) {
    const text = document.getElementById("plan-text");
    text.replaceChildren();
    document.querySelector(".slide").style.visibility = layer === "speed" ? "visible" : "hidden";
    if (!plan) return;
    const counts = {};
    // Displayed results go along, but nobody counts them.
    outlook.targets.forEach((dot, k) => {
      if (lanes[dots[dot].lane].variable) counts[plan.outcomes[k]] = (counts[plan.outcomes[k]] || 0) + 1;
    });
    const said = [];
    if (layer === "speed") text.append(strong(`${amount(speed)}/s`), ": ");
    for (const key of "lrsk") {
      if (!counts[key]) continue;
      if (said.length) text.append(" · ");
      const part = element("span", `${counts[key]} ${WORDS[key]}`);
      part.className = `is-${CLASSES[key].slice(4)}`;
      text.append(part);
      said.push(part.textContent);
    }
    const rest = [amount(plan.bytes)];
    if (layer === "speed") rest.push(`about ${duration(plan.fixed + plan.moved / speed)}`);
    if (plan.cells.length) rest.push(plan.cells.length === 1 ? "1 cell runs again" : `${plan.cells.length} cells run again`);
    text.append(` · ${rest.join(" · ")}`);
    slider?.setAttribute("aria-valuetext", `${amount(speed)} per second: ${[...said, ...rest].join(", ")}`);
  }

  // ---- Folds: where everything lies.

  const open = { rows: new Set(), lanes: new Set() };
  let rowAt = [];
  let laneAt = [];
  let shownRows = [];

  function places(count, folds, opened) {
    const of = new Array(count);
    const heads = [];
    const inside = new Array(count).fill(false);
    let at = 0;
    for (let i = 0, k = 0; i < count; ) {
      if (k < folds.length && folds[k].first === i) {
        const isOpen = opened.has(k);
        heads.push(at);
        at += 1;
        for (; i <= folds[k].last; i += 1) {
          of[i] = isOpen ? at++ : heads[k];
          inside[i] = !isOpen;
        }
        k += 1;
      } else {
        of[i] = at++;
        i += 1;
      }
    }
    return { of, heads, inside, count: at };
  }
  const show = (node, is) => (is ? node.removeAttribute("display") : node.setAttribute("display", "none"));

  let size = { width: 0, height: 0 };
  let head = 0;
  function layOut() {
    const down = places(rows.length, rowFolds, open.rows);
    const across = places(lanes.length, laneFolds, open.lanes);
    // Names lean over the lanes, so the longest one decides how much there is above the first row.
    const named = lanes.filter((_, i) => !across.inside[i]).map((lane) => lane.name.length);
    const longest = Math.max(0, ...named, ...laneFolds.map((fold) => fold.text.length + 2));
    const slant = frame.letter * Math.min(longest, frame.letters);
    const lean = (frame.lean * Math.PI) / 180;
    head = 12 + Math.ceil(slant * Math.sin(lean));
    const y = (i) => head + frame.row * i + frame.row / 2;
    const x = (i) => frame.from + frame.lane * i + frame.lane / 2;
    rowAt = down.of.map(y);
    laneAt = across.of.map(x);
    const bottom = head + frame.row * down.count;
    size = {
      width: frame.from + frame.lane * across.count + Math.max(40, slant * Math.cos(lean)),
      height: bottom + (frame.tall ? head : 12) + frame.row,
    };
    rowFoldNodes.forEach((node, k) => {
      for (const each of [node, foldBacks[k]]) each.setAttribute("transform", `translate(0 ${y(down.heads[k])})`);
      const text = node.querySelector("text");
      text.textContent = `${open.rows.has(k) ? "▾" : "▸"} ${rowFolds[k].text}`;
    });
    rowNodes.forEach((node, i) => {
      node.setAttribute("transform", `translate(0 ${rowAt[i]})`);
      const part = parts[i];
      part.hidden.forEach((each) => show(each, !down.inside[i]));
      part.rings.forEach((ring) => {
        ring.setAttribute("cx", laneAt[ring.dataset.lane]);
        if (across.inside[ring.dataset.lane]) ring.setAttribute("stroke-opacity", "0.45");
        else ring.removeAttribute("stroke-opacity");
      });
      part.crosses.forEach((cross) => cross.setAttribute("transform", `translate(${laneAt[cross.dataset.lane]} 0)`));
      if (part.guide) {
        const seen = part.guide.dataset.lanes.split(" ").filter((lane) => !across.inside[lane]);
        const right = Math.max(frame.from, ...seen.map((lane) => laneAt[lane]));
        part.guide.setAttribute("d", `M${frame.from - 4} 0H${right}`);
      }
      part.ties.forEach((tie) => {
        const seen = tie.dataset.lanes.split(" ").filter((lane) => !across.inside[lane]).map((lane) => laneAt[lane]);
        const strings = seen.slice(1).map((to, k) => `M${seen[k]} 0q${(to - seen[k]) / 2} 13 ${to - seen[k]} 0`);
        tie.setAttribute("d", strings.join("") || "M0 0");
      });
    });
    dotNodes.forEach((node) => node.setAttribute("cx", laneAt[node.dataset.lane]));
    lifeNodes.forEach((node) => {
      const { lane, top, used, bottom: end } = node.dataset;
      show(node, !across.inside[lane]);
      const [faint, strong_] = node.children;
      faint.setAttribute("d", `M${laneAt[lane]} ${rowAt[top]}V${end === undefined ? bottom : rowAt[end]}`);
      strong_.setAttribute("d", `M${laneAt[lane]} ${rowAt[top]}V${rowAt[used]}`);
    });
    laneFoldLines.forEach((line, k) =>
      line.setAttribute("d", `M${x(across.heads[k])} ${head}V${bottom}`));
    names.forEach((group, end) => {
      const place = (node, at) =>
        node.setAttribute("transform", `translate(${at + 4} ${end ? bottom + 9 : head - 5}) rotate(${-frame.lean})`);
      nameNodes[end].forEach((node) => {
        show(node, !across.inside[node.dataset.lane]);
        place(node, laneAt[node.dataset.lane]);
      });
      laneFoldNames[end].forEach((node, k) => {
        place(node, x(across.heads[k]));
        node.textContent = `${open.lanes.has(k) ? "▾" : "▸"} ${laneFolds[k].text}`;
      });
    });
    all(".etm-hit").forEach((hit) => hit.setAttribute("width", size.width));
    veil?.setAttribute("width", size.width);
    veil?.setAttribute("height", head);
    shownRows = [
      ...rowFoldNodes.map((node, k) => ({ node, at: down.heads[k], fold: k })),
      ...rowNodes.map((node, i) => ({ node, at: down.of[i], row: i })).filter((each) => !down.inside[each.row]),
    ].sort((one, other) => one.at - other.at).map((each) => each.node);
    resize();
  }

  function toggle(kind, k, is) {
    const opened = open[kind];
    if (is ?? !opened.has(k)) opened.add(k);
    else opened.delete(k);
    layOut();
  }

  // ---- Zoom and pan.

  let zoom = 1;
  function resize() {
    svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    svg.setAttribute("width", size.width * zoom);
    svg.setAttribute("height", size.height * zoom);
    document.getElementById("zoom").textContent = `${Math.round(zoom * 100)} %`;
    follow();
  }
  function zoomTo(level, at) {
    const before = zoom;
    zoom = Math.min(4, Math.max(0.2, level));
    const [x, y] = at || [stage.clientWidth / 2, stage.clientHeight / 2];
    const left = ((stage.scrollLeft + x) * zoom) / before - x;
    const top = ((stage.scrollTop + y) * zoom) / before - y;
    resize();
    stage.scrollTo(left, top);
  }
  // Names and labels stay in sight.
  function follow() {
    svg.style.setProperty("--left", `${stage.scrollLeft / zoom}px`);
    names[0]?.setAttribute("transform", `translate(0 ${stage.scrollTop / zoom})`);
  }
  stage.addEventListener("scroll", follow, { passive: true });
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    zoomTo(zoom * Math.exp(-event.deltaY / 300), [event.clientX - box.left, event.clientY - box.top]);
  }, { passive: false });
  let drag = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button || event.pointerType === "touch") return;
    drag = { x: event.clientX, y: event.clientY, left: stage.scrollLeft, top: stage.scrollTop, moved: false };
  });
  window.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
    drag.moved ||= Math.abs(x) + Math.abs(y) > 5;
    if (!drag.moved) return;
    stage.classList.add("dragged");
    stage.scrollTo(drag.left - x, drag.top - y);
  });
  window.addEventListener("pointerup", () => {
    stage.classList.remove("dragged");
    // The click that ends a drag is none.
    setTimeout(() => { drag = null; });
  });

  // ---- What is under the pointer, or chosen: {row}, {dot}, {rowFold} or {laneFold}.

  function thing(node) {
    const shape = node.closest?.("[data-dot]");
    if (shape) return { dot: Number(shape.dataset.dot) };
    const lane = node.closest?.(".etm-name[data-lane]");
    if (lane) return { dot: lastOf(Number(lane.dataset.lane)) };
    const name = node.closest?.(".etm-name[data-lane-fold]");
    if (name) return { laneFold: Number(name.dataset.laneFold) };
    const row = node.closest?.(".etm-row");
    if (!row) return null;
    return row.dataset.row === undefined ? { rowFold: Number(row.dataset.rowFold) } : { row: Number(row.dataset.row) };
  }
  const lastOf = (lane) => dots.findLastIndex((dot) => dot.lane === lane);

  function tell(found) {
    if (found.dot !== undefined) {
      const dot = dots[found.dot];
      const fate = fates.get(found.dot);
      return [
        `${called(found.dot)}: ${dot.kind}, ${amount(dot.bytes)}${dot.live ? "" : ", of the past"}`,
        fate ? WORDS[fate] + (dot.live ? "" : ", on the way to others") : null,
        costs(dot),
        dot.refusal ? `cannot be stored: ${dot.refusal}` : null,
        `made by ${cellName(dot.row)}${dot.readers.length ? `, read by ${dot.readers.length} later cells` : ""}`,
      ].filter(Boolean).join("\n");
    }
    if (found.row !== undefined) {
      const row = rows[found.row];
      const head = row.n ? `cell ${row.n}: ${row.status}, ${duration(row.seconds)}` : "what there was before recording began";
      return [head, row.source, ...row.marks.map((mark) => `* ${mark}`)].filter(Boolean).join("\n");
    }
    if (found.rowFold !== undefined) return `${rowFolds[found.rowFold].text}\nclick to ${open.rows.has(found.rowFold) ? "fold" : "unfold"}`;
    const fold = laneFolds[found.laneFold];
    const inside = lanes.slice(fold.first, fold.last + 1).map((lane) => lane.name).join(", ");
    return `${fold.text}: ${inside}\nclick to ${open.lanes.has(found.laneFold) ? "fold" : "unfold"}`;
  }
  function costs(dot) {
    const said = [];
    if (dot.store && layer === "speed") said.push(`${duration(dot.store[0] + dot.store[1] / speed)} to store and load at ${amount(speed)}/s`);
    if (dot.remake !== undefined) said.push(dot.remake === null ? "cannot be made again" : `${duration(dot.remake)} to make again`);
    return said.join(", ");
  }

  stage.addEventListener("pointermove", (event) => {
    const found = drag?.moved ? null : thing(event.target);
    tip.hidden = !found;
    if (!found) return;
    const text = tell(found);
    const lines = text.split("\n");
    tip.textContent = lines.length > 24 ? [...lines.slice(0, 24), `… ${lines.length - 24} more lines`].join("\n") : text;
    const box = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 16, window.innerWidth - box.width - 8);
    const below = event.clientY + 18 + box.height < window.innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${below ? event.clientY + 18 : Math.max(8, event.clientY - box.height - 12)}px`;
  });
  stage.addEventListener("pointerleave", () => { tip.hidden = true; });

  // ---- Lineage: what a cell or a version comes from, and what comes from it.

  let pinned = null;
  function lineage(found) {
    const cells = new Set();
    const versions = new Set();
    const up = found.dot !== undefined ? [found.dot] : [...rows[found.row].reads];
    const down = found.dot !== undefined ? [found.dot] : [...rows[found.row].writes];
    if (found.row !== undefined) cells.add(found.row);
    const above = new Set(up);
    while (up.length) {
      const row = dots[up.pop()].row;
      cells.add(row);
      for (const dot of rows[row].reads) if (!above.has(dot)) { above.add(dot); up.push(dot); }
    }
    const below = new Set(down);
    while (down.length) {
      for (const row of dots[down.pop()].readers) {
        cells.add(row);
        for (const dot of rows[row].writes) if (!below.has(dot)) { below.add(dot); down.push(dot); }
      }
    }
    above.forEach((dot) => versions.add(dot));
    below.forEach((dot) => versions.add(dot));
    return { cells, versions, above, below };
  }

  function pin(found) {
    pinned = found;
    svg.classList.toggle("pinned", Boolean(found));
    const { cells, versions } = found ? lineage(found) : { cells: new Set(), versions: new Set() };
    rowNodes.forEach((node, i) => {
      node.classList.toggle("lit", cells.has(i));
      node.classList.toggle("pin", found?.row === i);
      parts[i].rings.forEach((ring) =>
        ring.classList.toggle("lit", cells.has(i) && versions.has(Number(ring.dataset.dot))));
    });
    rowFoldNodes.forEach((node, k) => {
      let lit = false;
      for (let i = rowFolds[k].first; i <= rowFolds[k].last; i += 1) lit ||= cells.has(i);
      node.classList.toggle("lit", lit);
    });
    const lit = new Set([...versions].map((dot) => dots[dot].lane));
    dotNodes.forEach((node, dot) => {
      node.classList.toggle("lit", versions.has(dot));
      node.classList.toggle("pin", found?.dot === dot);
      lifeNodes[dot].classList.toggle("lit", versions.has(dot));
    });
    nameNodes.flat().forEach((node) => {
      node.classList.toggle("lit", lit.has(Number(node.dataset.lane)));
      node.classList.toggle("pin", found?.dot !== undefined && dots[found.dot].lane === Number(node.dataset.lane));
    });
    laneFoldNames.flat().forEach((node) => {
      const fold = laneFolds[node.dataset.laneFold];
      node.classList.toggle("lit", [...lit].some((lane) => lane >= fold.first && lane <= fold.last));
    });
    if (found) describe(found);
    else detail.replaceChildren(...help);
  }

  // ---- The panel beside the picture.

  const element = (tag, text) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const strong = (text) => element("b", text);
  const help = [...detail.childNodes];

  function links(list, name, chosen) {
    const made = element("dd");
    list.slice(0, 40).forEach((each, k) => {
      if (k) made.append(", ");
      const link = element("button", name(each));
      link.className = "link";
      link.addEventListener("click", () => go(chosen(each)));
      made.append(link);
    });
    if (list.length > 40) made.append(` and ${list.length - 40} more`);
    return made;
  }
  function describe(found) {
    const facts = element("dl");
    const say = (term, value) => {
      if (value === "" || value === null || value === undefined) return;
      facts.append(element("dt", term), value instanceof Node ? value : element("dd", value));
    };
    const cells = (list) => (list.length ? links(list, cellName, (row) => ({ row })) : null);
    const versions = (list) => (list.length ? links(list, called, (dot) => ({ dot })) : null);
    const { cells: all_, above, below } = lineage(found);
    if (found.dot !== undefined) {
      const dot = dots[found.dot];
      const fate = fates.get(found.dot);
      say("kind", dot.kind);
      say("bytes", dot.refusal ? "" : amount(dot.bytes));
      say("plan", fate ? WORDS[fate] : "");
      say("costs", costs(dot));
      say("cannot be stored", dot.refusal);
      say("made by", cells([dot.row]));
      say("read by", cells(dot.readers));
      say("of the past", dot.live ? "" : "yes");
      detail.replaceChildren(element("h2", called(found.dot)), facts, element("pre", rows[dot.row].source));
    } else {
      const row = rows[found.row];
      say("ended", row.status);
      say("time", row.n ? duration(row.seconds) : "");
      say("reads", versions(row.reads));
      say("writes", versions(row.writes));
      say("deletes", row.deletes.map((lane) => lanes[lane].name).join(", "));
      row.marks.forEach((mark) => say("notable", mark));
      detail.replaceChildren(element("h2", cellName(found.row)), facts, element("pre", row.source));
    }
    const own = found.dot === undefined ? 0 : 1;
    const sum = `Comes from ${counted(above.size - own, "version")}, leads to ${below.size - own}; ${counted(all_.size, "cell")} in all.`;
    const close = element("button", "Unpin");
    close.addEventListener("click", () => pin(null));
    detail.append(Object.assign(element("p", sum), { className: "quiet" }), close);
  }

  // ---- Going places: by click, keys, links and search.

  let at = null;
  function nodeOf(found) {
    if (found.dot !== undefined) return dotNodes[found.dot];
    if (found.row !== undefined) return rowNodes[found.row];
    return found.rowFold === undefined ? laneFoldNames[0][found.laneFold] : rowFoldNodes[found.rowFold];
  }
  function unfoldFor(found) {
    const row = found.dot === undefined ? found.row : dots[found.dot].row;
    const k = rowFolds.findIndex((fold) => fold.first <= row && row <= fold.last);
    const lane = found.dot === undefined ? -1 : dots[found.dot].lane;
    const j = laneFolds.findIndex((fold) => fold.first <= lane && lane <= fold.last);
    if (k >= 0 && !open.rows.has(k)) toggle("rows", k, true);
    if (j >= 0 && !open.lanes.has(j)) toggle("lanes", j, true);
  }
  function moveTo(found, { unfold = true } = {}) {
    if (unfold) unfoldFor(found);
    if (at) {
      nodeOf(at).classList.remove("at");
      nodeOf(at).removeAttribute("id");
    }
    at = found;
    const node = nodeOf(found);
    node.classList.add("at");
    node.id = "current";
    node.setAttribute("role", "button");
    node.setAttribute("aria-label", tell(found).split("\n").slice(0, 8).join("; "));
    stage.setAttribute("aria-activedescendant", "current");
    document.getElementById("said").textContent = tell(found).split("\n").slice(0, 4).join("; ");
    reveal(node);
  }
  function reveal(node) {
    const box = node.getBoundingClientRect();
    const view = stage.getBoundingClientRect();
    const [top, bottom] = [view.top + head * zoom + 4, view.bottom - 30];
    if (box.top < top) stage.scrollBy(0, box.top - top);
    else if (box.bottom > bottom) stage.scrollBy(0, box.bottom - bottom);
    if (!node.matches("circle")) return;
    const left = view.left + Math.min(frame.from * zoom, view.width / 2);
    if (box.left < left) stage.scrollBy(box.left - left, 0);
    else if (box.right > view.right - 30) stage.scrollBy(box.right - view.right + 30, 0);
  }
  function go(found) {
    moveTo(found);
    pin(found);
  }
  function choose(found) {
    if (found.rowFold !== undefined) toggle("rows", found.rowFold);
    else if (found.laneFold !== undefined) toggle("lanes", found.laneFold);
    else pin(pinned && pinned.dot === found.dot && pinned.row === found.row ? null : found);
  }
  stage.addEventListener("click", (event) => {
    if (drag?.moved) return;
    const found = thing(event.target);
    if (!found) {
      pin(null);
      return;
    }
    // A ring or a line of a lane that is not seen is its fold's.
    choose(found);
    moveTo(found, { unfold: false });
  });

  const placeOf = (found) =>
    found.rowFold !== undefined ? shownRows.indexOf(rowFoldNodes[found.rowFold])
      : shownRows.indexOf(rowNodes[found.dot === undefined ? found.row : dots[found.dot].row]);
  const inRow = (row) => [...rows[row].writes].sort((one, other) => laneAt[dots[one].lane] - laneAt[dots[other].lane]);

  function step(key) {
    if (!at || at.laneFold !== undefined) {
      moveTo(thing(shownRows[0]), { unfold: false });
      return;
    }
    const vertical = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
    if (vertical && at.dot !== undefined) {
      const same = dots.map((dot, i) => i).filter((i) => dots[i].lane === dots[at.dot].lane);
      const next = same[same.indexOf(at.dot) + vertical];
      if (next !== undefined) moveTo({ dot: next });
    } else if (vertical) {
      const next = shownRows[placeOf(at) + vertical];
      if (next) moveTo(thing(next), { unfold: false });
    } else if (at.rowFold === undefined) {
      const row = at.dot === undefined ? at.row : dots[at.dot].row;
      const here = inRow(row);
      const next = here.indexOf(at.dot) + (key === "ArrowRight" ? 1 : -1);
      if (next === -1) moveTo({ row });
      else if (next < here.length && (at.dot !== undefined || key === "ArrowRight")) moveTo({ dot: here[next] });
    }
  }
  stage.addEventListener("keydown", (event) => {
    if (event.key.startsWith("Arrow")) step(event.key);
    else if (event.key === "Home") moveTo(thing(shownRows[0]), { unfold: false });
    else if (event.key === "End") moveTo(thing(shownRows[shownRows.length - 1]), { unfold: false });
    else if (event.key === "Enter" || event.key === " ") { if (at) choose(at); }
    else if (event.key === "Escape") pin(null);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow") && !event.target.closest("#stage, aside, footer")) {
      stage.focus({ preventScroll: true });
      step(event.key);
    } else if (event.key === "/") search.focus();
    else if (event.key === "+" || event.key === "=") zoomTo(zoom * 1.25);
    else if (event.key === "-") zoomTo(zoom / 1.25);
    else if (event.key === "0") zoomTo(1);
    else return;
    event.preventDefault();
  });

  // ---- Search.

  const search = document.getElementById("search");
  let matches = [];
  let match = -1;
  function find() {
    const wanted = search.value.trim().toLowerCase();
    const isHit = (text) => wanted !== "" && text.toLowerCase().includes(wanted);
    const hitLanes = lanes.map((lane) => isHit(lane.name));
    const hitRows = rows.map((row) => isHit(row.source));
    nameNodes.flat().forEach((node) => node.classList.toggle("hit", hitLanes[node.dataset.lane]));
    rowNodes.forEach((node, i) => node.classList.toggle("hit", hitRows[i]));
    matches = [
      ...lanes.map((_, lane) => lane).filter((lane) => hitLanes[lane]).map((lane) => ({ dot: lastOf(lane) })),
      ...rows.map((_, row) => row).filter((row) => hitRows[row]).map((row) => ({ row })),
    ];
    match = -1;
    document.getElementById("found").textContent = wanted ? `${matches.length} found` : "";
  }
  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && matches.length) {
      match = (match + (event.shiftKey ? matches.length - 1 : 1)) % matches.length;
      go(matches[match]);
      document.getElementById("found").textContent = `${match + 1} of ${matches.length}`;
    } else if (event.key === "Escape") {
      search.value = "";
      find();
      stage.focus();
    }
  });

  // ---- The tools above.

  const slider = document.getElementById("speed");
  const chosen = document.getElementById("layer");
  if (outlook) {
    const [low, high] = [outlook.stretches[0].low, outlook.stretches[outlook.stretches.length - 1].high];
    slider.value = (Math.log(speed / low) / Math.log(high / low)) * Number(slider.max);
    slider.addEventListener("input", () => {
      speed = low * (high / low) ** (Number(slider.value) / Number(slider.max));
      showPlan();
    });
    chosen.value = layer;
    chosen.addEventListener("change", () => {
      layer = chosen.value;
      showPlan();
    });
  }
  const unfold = document.getElementById("unfold");
  unfold.addEventListener("click", () => {
    const is = unfold.getAttribute("aria-pressed") !== "true";
    unfold.setAttribute("aria-pressed", String(is));
    unfold.textContent = is ? "Fold all" : "Unfold all";
    open.rows = new Set(is ? rowFolds.keys() : []);
    open.lanes = new Set(is ? laneFolds.keys() : []);
    layOut();
  });
  unfold.hidden = !rowFolds.length && !laneFolds.length;
  document.getElementById("closer").addEventListener("click", () => zoomTo(zoom * 1.25));
  document.getElementById("farther").addEventListener("click", () => zoomTo(zoom / 1.25));
  document.getElementById("fit").addEventListener("click", () =>
    zoomTo(Math.min(stage.clientWidth / size.width, stage.clientHeight / size.height)));

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const theme = document.getElementById("theme");
  let own = null;
  function paint() {
    const is = own ?? (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = is;
    theme.textContent = is === "dark" ? "Light" : "Dark";
  }
  theme.addEventListener("click", () => {
    own = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    paint();
  });
  dark.addEventListener("change", paint);

  const table = document.getElementById("table");
  table.addEventListener("toggle", () => { table.parentElement.toggleAttribute("data-open", table.open); });

  // What the picture says of itself alone is said here by the stage around it.
  svg.setAttribute("role", "presentation");
  paint();
  layOut();
  showPlan();
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
