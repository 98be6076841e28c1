// SPDX-License-Identifier: Apache-2.0
//
// Draws the incident from the page's data. All text of the data goes into the page by textContent, never as HTML.
"use strict";
(() => {
// The columns of the rows, in the order of analyzer/report/json.cpp.
const columns = {
  alerts: ["time", "number", "rule", "process", "line", "message"],
  rules: ["name", "priority", "description", "condition", "output", "matches", "tags"],
  processes: ["pid", "ppid", "parent", "name", "exe", "command", "firstCommand", "user", "lastUser", "container", "first",
    "last", "started", "ended", "end", "events", "execs", "alerts", "lines"],
  files: ["path", "given", "container", "processes", "reads", "writes", "bytesRead", "bytesWritten", "failed", "changes",
    "first", "last", "events", "lines"],
  connections: ["process", "protocol", "local", "peer", "name", "port", "incoming", "failed", "bytesIn", "bytesOut",
    "first", "last", "events", "lines"],
  containers: ["id", "name", "image", "runtime", "processes", "events"],
  users: ["name", "uid", "processes", "events"],
};
const priorities = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"];
const kLanes = 60, kRows = 100, kNodes = 300, kMarks = 150;

const data = JSON.parse(document.getElementById("data").textContent);
const model = {};
for (const [list, names] of Object.entries(columns))
  model[list] = (data[list] || []).map((cells, index) =>
    cells && Object.assign({ index }, Object.fromEntries(names.map((name, i) => [name, cells[i]]))));
const startMs = Number(BigInt(data.start) / 1000000n), startRest = Number(BigInt(data.start) % 1000000n);

const byId = (id) => document.getElementById(id);
const section = (id) => byId(id);
function make(tag, classes, ...children) {
  const element = document.createElement(tag);
  if (classes)
    element.className = classes;
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// ---- texts ----

const two = (value, digits = 2) => String(value).padStart(digits, "0");
function clock(ns) {
  if (ns === null)
    return "";
  const date = new Date(startMs + (startRest + ns) / 1e6);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${two(date.getMilliseconds(), 3)}`;
}
function duration(ns) {
  if (ns >= 60e9)
    return `${Math.floor(ns / 60e9)} min ${((ns % 60e9) / 1e9).toFixed(0)} s`;
  return ns >= 1e9 ? `${(ns / 1e9).toFixed(2)} s` : ns >= 1e6 ? `${(ns / 1e6).toFixed(1)} ms` : `${(ns / 1e3).toFixed(0)} µs`;
}
function size(bytes) {
  if (!bytes)
    return "";
  let unit = 0;
  while (bytes >= 1024 && unit < 4) {
    bytes /= 1024;
    ++unit;
  }
  return `${unit ? bytes.toFixed(1) : bytes} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}
const process = (index) => model.processes[index];
const processName = (index) => (process(index) ? `${process(index).name || "?"} (${process(index).pid})` : "");
const containerName = (index) => (model.containers[index] ? model.containers[index].name || model.containers[index].id : "");
const userName = (index) => (model.users[index] ? model.users[index].name : "");
function userOf(row) {
  return row.user === row.lastUser || row.user < 0 ? userName(row.lastUser) : `${userName(row.user)} → ${userName(row.lastUser)}`;
}
const changesOf = (row) => data.changes.filter((word, bit) => (row.changes >> bit) & 1).join(", ");

// ---- what matches the filter ----

const filter = { terms: [], alerted: false };
const hay = new Map();
function texts(kind, row) {
  switch (kind) {
    case "processes": return [row.name, row.pid, row.command, row.firstCommand, row.exe, userOf(row), containerName(row.container)];
    case "files": return [row.path, row.given, containerName(row.container), changesOf(row), ...row.processes.map(processName)];
    case "connections": return [row.protocol, row.local, row.peer, row.name, processName(row.process)];
    case "alerts": return [row.message, model.rules[row.rule].name, model.rules[row.rule].priority, processName(row.process)];
    case "containers": return [row.id, row.name, row.image];
    default: return [row.name, row.uid];
  }
}
function isAlerted(kind, row) {
  const alerted = (index) => process(index) !== undefined && process(index).alerts > 0;
  switch (kind) {
    case "processes": return row.alerts > 0;
    case "files": return row.processes.some(alerted);
    case "connections": return alerted(row.process);
    default: return true;
  }
}
function matches(kind, row) {
  if (filter.alerted && !isAlerted(kind, row))
    return false;
  if (filter.terms.length === 0)
    return true;
  const key = kind + row.index;
  if (!hay.has(key))
    hay.set(key, texts(kind, row).join("\n").toLowerCase());
  return filter.terms.every((term) => hay.get(key).includes(term));
}
const matching = (kind) => model[kind].filter((row) => matches(kind, row));

// ---- tables ----

const redraws = [];
const path = (text) => make("span", "path", text);
function eventsOf(lines, events) {
  const shown = (lines || []).map((line) => data.lines[line]).filter((line) => line !== undefined);
  const pre = make("pre", "events", shown.join("\n"));
  const rest = events - shown.length;
  return [shown.length ? pre : null, rest > 0 ? make("p", "quiet", `${rest} further events are counted, not shown.`) : null];
}
// A table of rows, each of which opens its details. `cells`: header, class, content of a row, value to sort by.
function table(kind, id, cells, details) {
  const head = make("tr"), body = make("tbody"), more = make("button", "more"), title = make("small");
  more.type = "button";
  section(id).querySelector("h2").append(" ", title);
  section(id).append(make("table", "", make("thead", "", head), body), more);
  let sortBy = -1, descending = false, limit = kRows;
  const draw = () => {
    const rows = matching(kind);
    if (sortBy >= 0) {
      const value = cells[sortBy][3];
      rows.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (descending ? -1 : 1));
    }
    title.textContent = rows.length === model[kind].length ? `${rows.length}` : `${rows.length} of ${model[kind].length}`;
    body.replaceChildren(...rows.slice(0, limit).map((row) => {
      const line = make("tr", "row", ...cells.map(([, classes, content]) => make("td", classes, content(row))));
      if (!details)
        return line;
      line.tabIndex = 0;
      const toggle = () => {
        if (line.nextSibling && line.nextSibling.classList.contains("details"))
          return line.nextSibling.remove();
        const cell = make("td", "", ...details(row).filter(Boolean));
        cell.colSpan = cells.length;
        line.after(make("tr", "details", cell));
      };
      line.addEventListener("click", toggle);
      line.addEventListener("keydown", (event) => event.key === "Enter" && toggle());
      return line;
    }));
    more.hidden = rows.length <= limit;
    more.textContent = `Show ${Math.min(rows.length - limit, 5 * kRows)} more`;
  };
  cells.forEach(([header, , , value], index) => {
    const cell = make("th", "", header);
    if (value) {
      const button = make("button", "", header);
      button.type = "button";
      button.addEventListener("click", () => {
        descending = sortBy === index ? !descending : typeof value(model[kind][0] || {}) === "number";
        sortBy = index;
        for (const other of head.children)
          other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
        draw();
      });
      cell.replaceChildren(button);
    }
    head.append(cell);
  });
  more.addEventListener("click", () => {
    limit += 5 * kRows;
    draw();
  });
  redraws.push(draw);
}

table("alerts", "alerts", [
  ["Time", "time", (row) => clock(row.time), (row) => row.time],
  ["Priority", "priority", (row) => model.rules[row.rule].priority, (row) => priorities.indexOf(model.rules[row.rule].priority)],
  ["Rule", "", (row) => model.rules[row.rule].name, (row) => model.rules[row.rule].name],
  ["Message", "", (row) => path(row.message)],
  ["Process", "", (row) => processName(row.process), (row) => processName(row.process)],
], (row) => {
  const rule = model.rules[row.rule];
  select(row.process, row);
  return [make("p", "", rule.description), make("pre", "", `condition: ${rule.condition}\noutput: ${rule.output}`),
    make("p", "quiet", `${rule.matches} matches of this rule. Tags: ${rule.tags.join(", ") || "none"}. Event ${row.number}.`),
    ...eventsOf(row.line < 0 ? [] : [row.line], 1)];
});
table("files", "files", [
  ["Path", "", (row) => path(row.path), (row) => row.path],
  ["As given", "", (row) => path(row.given)],
  ["Read", "number", (row) => size(row.bytesRead) || (row.reads ? "opened" : ""), (row) => row.bytesRead],
  ["Written", "number", (row) => size(row.bytesWritten) || (row.writes ? "opened" : ""), (row) => row.bytesWritten],
  ["Changes", "", changesOf, changesOf],
  ["Failed", "number", (row) => row.failed || "", (row) => row.failed],
  ["Processes", "", (row) => row.processes.slice(0, 3).map(processName).join(", ") + (row.processes.length > 3 ? ", …" : "")],
  ["Container", "", (row) => containerName(row.container), (row) => containerName(row.container)],
  ["First", "time", (row) => clock(row.first), (row) => row.first],
], (row) => eventsOf(row.lines, row.events));
table("connections", "connections", [
  ["Peer", "", (row) => path(row.peer), (row) => row.peer],
  ["DNS name", "", (row) => path(row.name), (row) => row.name],
  ["Port", "number", (row) => row.port, (row) => row.port],
  ["Protocol", "", (row) => `${row.protocol} ${row.incoming ? "in" : "out"}${row.failed ? ", failed" : ""}`, (row) => row.protocol],
  ["Local", "", (row) => path(row.local), (row) => row.local],
  ["Received", "number", (row) => size(row.bytesIn), (row) => row.bytesIn],
  ["Sent", "number", (row) => size(row.bytesOut), (row) => row.bytesOut],
  ["Process", "", (row) => processName(row.process), (row) => processName(row.process)],
  ["First", "time", (row) => clock(row.first), (row) => row.first],
], (row) => eventsOf(row.lines, row.events));
table("containers", "containers", [
  ["Id", "", (row) => path(row.id), (row) => row.id],
  ["Name", "", (row) => row.name, (row) => row.name],
  ["Image", "", (row) => path(row.image), (row) => row.image],
  ["Runtime", "", (row) => row.runtime, (row) => row.runtime],
  ["Processes", "number", (row) => row.processes, (row) => row.processes],
  ["Events", "number", (row) => row.events, (row) => row.events],
]);
table("users", "users", [
  ["User", "", (row) => row.name, (row) => row.name],
  ["Id", "number", (row) => row.uid, (row) => row.uid],
  ["Processes", "number", (row) => row.processes, (row) => row.processes],
  ["Events", "number", (row) => row.events, (row) => row.events],
]);

// ---- process tree ----

const children = new Map();
for (const row of model.processes)
  children.set(row.parent, [...(children.get(row.parent) || []), row.index]);
const openNodes = new Set();
let selected = -1, wholeTree = !model.alerts.length, nodeLimit = kNodes;

function detailsOf(row) {
  const files = model.files.filter((file) => file.processes.includes(row.index));
  const connections = model.connections.filter((connection) => connection.process === row.index);
  const list = (title, texts) => texts.length ? make("div", "", make("b", "", title), make("pre", "", texts.slice(0, 100).join("\n"))) : null;
  return make("div", "details",
    row.firstCommand && row.firstCommand !== row.command ? list("Before exec", [row.firstCommand]) : null,
    list("Files", files.map((file) => `${file.path}  ${[changesOf(file), file.writes && "written", file.reads && "read"].filter(Boolean).join(", ")}`)),
    list("Connections", connections.map((each) => `${each.protocol} ${each.local} ${each.incoming ? "←" : "→"} ${each.peer} ${each.name}`)),
    ...eventsOf(row.lines, row.events));
}
function node(row, depth) {
  const line = make("div", row.index === selected ? "node selected" : "node",
    make("b", "", row.name || "?"), ` ${row.pid} `, row.alerts ? make("span", "badge", row.alerts === 1 ? "1 alert" : `${row.alerts} alerts`) : null,
    make("span", "command path", row.command),
    make("span", "quiet", [userOf(row), containerName(row.container) && `in ${containerName(row.container)}`,
      row.started !== null && `started ${clock(row.started)}`, row.ended !== null && `ended ${clock(row.ended)}, ${row.end}`,
      `${row.events} events`].filter(Boolean).join(" · ")));
  line.style.paddingLeft = `${4 + 18 * Math.min(depth, 24)}px`;
  line.dataset.process = row.index;
  if (openNodes.has(row.index))
    line.append(detailsOf(row));
  line.addEventListener("click", (event) => {
    if (event.target.closest(".details"))
      return;
    openNodes.has(row.index) ? openNodes.delete(row.index) : openNodes.add(row.index);
    drawTree();
  });
  return line;
}
// The processes to show: those that match with their ancestors, or the branch of the selected one.
function treeRows() {
  const shown = new Set();
  const addAncestors = (index) => {
    for (let at = index; process(at) && !shown.has(at); at = process(at).parent)
      shown.add(at);
  };
  const addDescendants = (index) => {
    shown.add(index);
    for (const child of children.get(index) || [])
      if (!shown.has(child))
        addDescendants(child);
  };
  const roots = wholeTree || filter.terms.length || filter.alerted ? matching("processes").map((row) => row.index)
    : [selected >= 0 ? selected : model.alerts.map((row) => row.process).find((index) => process(index))];
  for (const index of roots) {
    if (!process(index))
      continue;
    addAncestors(index);
    if (!wholeTree)
      addDescendants(index);
  }
  return shown;
}
function drawTree() {
  const shown = treeRows(), nodes = [];
  const walk = (index, depth) => {
    if (!shown.has(index) || nodes.length >= nodeLimit)
      return;
    nodes.push(node(process(index), depth));
    for (const child of children.get(index) || [])
      walk(child, depth + 1);
  };
  for (const row of model.processes)
    if (shown.has(row.index) && !shown.has(row.parent))
      walk(row.index, 0);
  if (shown.size > nodes.length) {
    const more = make("button", "more", `Show ${Math.min(shown.size - nodes.length, 2 * kNodes)} more`);
    more.type = "button";
    more.addEventListener("click", () => {
      nodeLimit += 2 * kNodes;
      drawTree();
    });
    nodes.push(more);
  }
  byId("branches").replaceChildren(...nodes);
  byId("tree-mode").textContent = wholeTree ? "Show only the branch of the alert" : "Show all processes";
}
byId("tree-mode").addEventListener("click", () => {
  wholeTree = !wholeTree;
  drawTree();
});
redraws.push(drawTree);

function select(index, alert) {
  selected = index;
  wholeTree = wholeTree && index < 0;
  drawTree();
  drawChart(alert);
}

// ---- timeline ----

const kSpace = 190, kLane = 18, kTop = 22;
const view = { from: 0, to: Math.max(data.span, 1) };
function svg(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes))
    element.setAttribute(name, value);
  if (text !== undefined)
    element.textContent = text;
  return element;
}
const marks = new Map();
function mark(index, time, kind, text) {
  if (!process(index) || time === null)
    return;
  if (!marks.has(index))
    marks.set(index, []);
  if (marks.get(index).length < kMarks || kind === "alert")
    marks.get(index).push({ time, kind, text });
}
for (const row of model.files)
  if (row.writes || row.changes & ~(1 << data.changes.indexOf("executed")))
    mark(row.processes[0], row.first, "file", row.path);
for (const row of model.connections)
  mark(row.process, row.first, "connection", `${row.incoming ? "from" : "to"} ${row.peer} ${row.name}`);
for (const row of model.alerts)
  mark(row.process, row.time, "alert", `${model.rules[row.rule].priority}: ${model.rules[row.rule].name}`);

let scale = 1;
const x = (ns) => kSpace + (ns - view.from) * scale;
function drawAxis(chart, height, width) {
  const span = view.to - view.from, step = [1, 2, 5, 10].map((n) => n * 10 ** Math.floor(Math.log10(span / 6))).find((n) => span / n <= 8);
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
    chart.append(svg("line", { class: "grid", x1: x(at), x2: x(at), y1: kTop - 4, y2: height }));
    chart.append(svg("text", { class: "axis", x: Math.min(x(at) + 3, width - 90), y: 12 }, span < 2e9 ? `+${duration(at)}` : clock(at)));
  }
}
function drawMark(lane, each, y) {
  const at = x(each.time);
  if (at < kSpace || each.time > view.to)
    return;
  const shapes = {
    alert: () => svg("path", { class: "alert", d: `M${at} ${y + 1} l6 13 l-12 0 z` }),
    file: () => svg("rect", { class: "file", x: at - 2, y: y + 9, width: 4, height: 6 }),
    connection: () => svg("circle", { class: "connection", cx: at, cy: y + 6, r: 3.5 }),
  };
  const shape = shapes[each.kind]();
  shape.append(svg("title", {}, `${clock(each.time)} ${each.text}`));
  lane.append(shape);
}
function drawChart(alert) {
  const space = byId("chart"), width = Math.max(space.clientWidth, 500);
  scale = (width - kSpace - 10) / (view.to - view.from);
  const inView = (row) => (row.started ?? row.first ?? 0) <= view.to && (row.ended ?? data.span) >= view.from && row.events > 0;
  const fits = (row) => matches("processes", row) || (marks.get(row.index) || []).some((each) =>
    filter.terms.length > 0 && !filter.alerted && filter.terms.every((term) => each.text.toLowerCase().includes(term)));
  const all = model.processes.filter((row) => inView(row) && fits(row));
  const lanes = all.slice(0, kLanes).sort((a, b) => (a.started ?? a.first) - (b.started ?? b.first));
  const height = kTop + Math.max(lanes.length, 1) * kLane + 6;
  const chart = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  drawAxis(chart, height, width);
  lanes.forEach((row, index) => {
    const y = kTop + index * kLane, lane = svg("g", { class: "lane" });
    const label = processName(row.index);
    lane.append(svg("text", { x: 0, y: y + 13 }, label.length > 28 ? `${label.slice(0, 27)}…` : label));
    const from = Math.max(x(Math.max(row.started ?? row.first, view.from)), kSpace), to = Math.min(x(row.ended ?? data.span), width - 10);
    lane.append(svg("rect", { class: row.ended === null ? "run" : "ended", x: from, y: y + 3, width: Math.max(to - from, 2), height: 11, rx: 2 }));
    lane.append(svg("title", {}, `${label} ${row.command}\n${row.end}`));
    for (const each of marks.get(row.index) || [])
      drawMark(lane, each, y);
    lane.addEventListener("click", () => {
      openNodes.add(row.index);
      select(row.index);
    });
    chart.append(lane);
  });
  if (alert && alert.time >= view.from && alert.time <= view.to)
    chart.append(svg("line", { class: "at", x1: x(alert.time), x2: x(alert.time), y1: kTop - 4, y2: height }));
  space.replaceChildren(chart, all.length > lanes.length
    ? make("p", "hint", `${all.length - lanes.length} further processes in this span; filter or zoom to see them.`) : "");
  section("timeline").dataset.lanes = lanes.length;
}
function zoom(factor, centre = (view.from + view.to) / 2) {
  const span = Math.min(Math.max((view.to - view.from) * factor, 1000), data.span || 1);
  move(Math.min(Math.max(centre - span / 2, 0), data.span - span), span);
}
function move(from, span = view.to - view.from) {
  view.from = Math.max(0, Math.min(from, data.span - span));
  view.to = view.from + Math.max(span, 1);
  drawChart();
}
const pan = (share) => move(view.from + share * (view.to - view.from));
const controls = { in: () => zoom(0.5), out: () => zoom(2), left: () => pan(-0.5), right: () => pan(0.5), whole: () => zoom(Infinity) };
for (const [id, action] of Object.entries(controls))
  byId(id).addEventListener("click", action);
byId("chart").addEventListener("keydown", (event) => {
  const action = { "+": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", 0: "whole" }[event.key];
  if (action) {
    controls[action]();
    event.preventDefault();
  }
});
let drag = null;
const timeAt = (event) => view.from + Math.max(event.clientX - byId("chart").getBoundingClientRect().left - kSpace, 0) / scale;
byId("chart").addEventListener("pointerdown", (event) => {
  drag = timeAt(event);
});
window.addEventListener("pointermove", (event) => {
  const chart = byId("chart").querySelector("svg");
  if (drag === null || !chart)
    return;
  chart.querySelectorAll(".drag").forEach((old) => old.remove());
  const [from, to] = [drag, timeAt(event)].sort((a, b) => a - b);
  chart.append(svg("rect", { class: "drag", x: x(from), y: 0, width: Math.max(x(to) - x(from), 0), height: chart.getAttribute("height") }));
});
window.addEventListener("pointerup", (event) => {
  if (drag === null)
    return;
  const [from, to] = [drag, timeAt(event)].sort((a, b) => a - b);
  drag = null;
  if ((to - from) * scale > 8)
    move(from, to - from);
});
window.addEventListener("resize", () => drawChart());
redraws.push(() => drawChart());

// ---- the whole page ----

function redraw() {
  filter.terms = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  filter.alerted = byId("alerted").checked;
  for (const draw of redraws)
    draw();
  const count = (kind) => `${matching(kind).length} ${kind}`;
  byId("matching").textContent = filter.terms.length || filter.alerted
    ? `${count("alerts")}, ${count("processes")}, ${count("files")}, ${count("connections")}` : "";
}
function fact(label, value) {
  return make("li", "", `${label} `, make("b", "", String(value)));
}
byId("capture").textContent = data.capture;
document.title = `Incident report: ${data.capture}`;
const begin = new Date(startMs);
byId("facts").append(fact("host", data.host || "not known"),
  fact("begins", `${begin.getFullYear()}-${two(begin.getMonth() + 1)}-${two(begin.getDate())} ${clock(0)}`), fact("spans", duration(data.span)),
  fact("events", data.events), fact("alerts", model.rules.reduce((sum, rule) => sum + (rule ? rule.matches : 0), 0)),
  fact("processes", model.processes.length), fact("files", model.files.length), fact("connections", model.connections.length));
section("notes").querySelector("ul").append(...data.notes.map((sentence) => make("li", "", `${sentence[0].toUpperCase()}${sentence.slice(1)}.`)));
byId("footer").append(make("p", "", `Made by tiercel ${data.version}. Times are of the zone ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`));
byId("search").addEventListener("input", redraw);
byId("alerted").addEventListener("change", redraw);
redraw();
document.body.dataset.drawn = "yes";
})();
