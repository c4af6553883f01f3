/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the status page up to date: fetches status.json each second, writes what is new into the cells,
 * and draws plots of the last five minutes. What a cell shows is said by data-as and data-key in
 * the document. Without this script the page is complete, and loads itself again.
 *
 * Texts become text nodes, never HTML. This file is ASCII, and its comments are lines of their own: the
 * build takes them out.
 */
(function () {
"use strict";

/* ---- numbers for people, as page_number.c ---- */

const NBSP = "\u00a0";

function sensible(n) {
	return typeof n === "number" && n >= 0 && n < 1e18;
}

function rounded(n) {
	return Math.floor(n + 0.5);
}

function withUnit(n, unit) {
	const tenths = rounded(n * 10);
	const digits = tenths >= 1000 ? rounded(n) : Math.floor(tenths / 10) + "." + tenths % 10;
	return digits + NBSP + unit;
}

function scaled(n, step, units) {
	let i = 0;
	for (n /= step; n >= 999.5; i++)
		n /= step;
	return withUnit(n, units[i]);
}

function count(n) {
	if (!sensible(n))
		return null;
	return n >= 9999.5 ? scaled(n, 1000, ["k", "M", "G", "T", "P", "E"]) : String(rounded(n));
}

function bytes(n) {
	if (!sensible(n))
		return null;
	return n >= 1023.5 ? scaled(n, 1024, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]) :
	       rounded(n) + NBSP + "B";
}

function twoUnits(n, large, largeName, small, smallName) {
	const whole = Math.floor(n / large);
	const rest = Math.floor((n - whole * large) / small);
	return whole + NBSP + largeName + (rest === 0 ? "" : NBSP + rest + NBSP + smallName);
}

function age(s) {
	if (!sensible(s))
		return null;
	return s >= 86400 ? twoUnits(s, 86400, "d", 3600, "h") :
	       s >= 3600 ? twoUnits(s, 3600, "h", 60, "min") :
	       s >= 60 ? twoUnits(s, 60, "min", 1, "s") : Math.floor(s) + NBSP + "s";
}

function time(s) {
	if (!sensible(s))
		return null;
	return s >= 60 ? age(s) :
	       s >= 0.9995 ? withUnit(s, "s") :
	       s >= 0.0009995 ? withUnit(s * 1000, "ms") : rounded(s * 1e6) + NBSP + "\u00b5s";
}

function countRate(n) {
	return (n > 0 && n < 9.95 ? (rounded(n * 10) / 10).toFixed(1) : count(n)) + "/s";
}

function bytesRate(n) {
	return bytes(n) + "/s";
}

/* ---- cells, as page_cell.c ---- */

/* A cell is a list of parts: a text, or [kind of element, text]. An empty list says nothing. */
const NONE = [["i", "\u2013"]];

function find(root, path) {
	const has = (o, key) => o !== null && typeof o === "object" && Object.hasOwn(o, key);
	for (const key of path === "" ? [] : path.split("."))
		root = has(root, key) ? root[key] : undefined;
	return root;
}

function text(value) {
	return Number.isInteger(value) || typeof value === "string" && value !== "" ? String(value) : null;
}

/* 2026-11-22T15:50:01.123Z, for people. */
function when(value) {
	const found = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d).*Z$/.exec(value);
	return found ? found[1] + " " + found[2] + " UTC" : text(value);
}

function one(value) {
	return value === null ? [] : [value];
}

const TONES = {
	serving: "good", accepting: "good", exhausted: "warn", failing: "bad", leaving: "warn", draining: "warn",
	reloading: "warn", upgrading: "warn", stopping: "warn", resting: "warn"
};

function badge(word) {
	return typeof word !== "string" || word === "" ? [] :
	       [[Object.hasOwn(TONES, word) ? TONES[word] : "calm", word]];
}

/* "12 queued" for those that there are. */
function counted(value, what, withZero) {
	const n = count(value);
	return n === null || value === 0 && !withZero ? [] : [n + NBSP + what];
}

function countedByName(object) {
	return Object.entries(object || {}).filter(([, n]) => sensible(n) && n > 0)
		.map(([name, n]) => name + NBSP + count(n));
}

function joined(items) {
	return items.length === 0 ? [] : [items.join(", ")];
}

function outOf(value, all) {
	const n = count(value), m = count(all);
	return n === null ? [] : [m === null ? n : n + " of " + m];
}

function slots(open, max) {
	if (!sensible(open) || !sensible(max))
		return [];
	return [count(open) + " of " + count(max),
	        ["bar", max > 0 ? String(Math.floor(Math.min(open / max, 1) * 100 + 0.5)) : "0"],
	        ["small", count(Math.max(max - open, 0)) + NBSP + "free"]];
}

const CELLS = {
	text: v => one(text(v)),
	count: v => one(count(v)),
	bytes: v => one(bytes(v)),
	age: v => one(age(v)),
	when: v => one(when(v)),
	badge: badge,
	name: function (s) {
		const name = text(s.name), listen = s.listen || [];
		if (name === null)
			return [];
		const where = listen.length > 0 ? "on " + listen.join(", ") : "";
		const about = [s.handler || "", where].filter(t => t !== "").join(" ");
		return about === "" ? [name] : [name, ["small", about]];
	},
	state: function (s) {
		const parts = badge(s.state);
		if (parts.length > 0 && s.reason)
			parts.push(["small", s.reason]);
		if (parts.length > 0 && s.restart_delay > 0)
			parts.push(["small", "next start in " + age(Math.ceil(s.restart_delay))]);
		return parts;
	},
	workers: function (w) {
		const parts = outOf(find(w, "accepting"), find(w, "wanted"));
		const others = parts.length === 0 ? [] :
			[...counted(w.starting, "starting"), ...counted(w.draining, "draining")];
		return others.length === 0 ? parts : [...parts, ["small", others.join(", ")]];
	},
	slots: v => slots(find(v, "open"), find(v, "max")),
	room: w => slots(w.open, w.slots),
	queue: v => outOf(find(v, "length"), find(v, "limit")),
	refused: s => joined([...countedByName(find(s, "refused")),
		...counted(find(s, "untracked"), "untracked")]),
	deaths: s => joined([...countedByName(s.deaths), ...counted(s.lost, "lost" + NBSP + "connections")]),
	programs: s => joined(["filter.processes", "filter.queued", "filter.answered", "filter.replaced",
		"warm.waiting", "warm.joined", "warm.cold", "warm.crashed"]
		.flatMap(path => counted(find(s, path), path.split(".")[1], true))),
	times: v => joined([["duration", "connection"], ["accept_wait", "wait"], ["answer", "answer"],
		["handshake", "handshake"]].flatMap(function ([key, title]) {
			const mean = time(find(v, key + ".sum") / find(v, key + ".count"));
			return mean === null ? [] : [title + NBSP + mean];
		})),
	signal: function (c) {
		const name = text(c.signal), still = age(find(c, "hang.still"));
		return name === null ? [] : still === null ? [name] : [name, ["small", "hung for " + still]];
	},
	names: function (v) {
		const parts = joined((v || []).slice(0, 2));
		return v && v.length > 2 ? [...parts, ["small", "and " + (v.length - 2) + " more"]] : parts;
	},
	days: function (n) {
		if (typeof n !== "number")
			return [];
		return [n < 0 ? ["bad", "expired"] : n < 14 ? ["warn", "expires soon"] : ["good", "valid"],
		        ["small", Math.abs(n) + NBSP + "d " + (n < 0 ? "ago" : "left")]];
	},
	reload: function (s) {
		const ok = find(s, "last_reload.ok"), at = find(s, "last_reload.at");
		const parts = typeof ok === "boolean" ? [ok ? ["good", "worked"] : ["bad", "refused"]] :
		              s.refused ? [["bad", "refused"]] : [];
		return parts.length > 0 && at ? [...parts, ["small", when(at)]] : parts;
	},
	refusal: s => one(text(s.refused) ||
		(find(s, "last_reload.ok") === false ? text(s.last_reload.reason) : null))
};

const DRAWN = ["svg", "path", "rect", "line", "title"];

function element(name, attributes, ...inside) {
	const of = DRAWN.includes(name) ?
		document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
	for (const key in attributes)
		of.setAttribute(key, attributes[key]);
	of.append(...inside);
	return of;
}

function node(part) {
	if (typeof part === "string")
		return part;
	const [kind, inside] = part;
	if (kind === "small" || kind === "i")
		return element(kind, {}, inside);
	if (kind === "rate")
		return element("small", { "class": "rate" }, inside);
	if (kind === "bar")
		return element("svg", { "class": "bar", viewBox: "0 0 100 4", preserveAspectRatio: "none",
			"aria-hidden": "true" }, element("rect", { width: inside, height: 4 }));
	return element("span", { "class": "badge " + kind }, inside);
}

/* What is unchanged is not touched, so that a selection stays. */
const shown = new WeakMap();

function show(cell, parts) {
	const what = JSON.stringify(parts);
	if (shown.get(cell) === what)
		return;
	shown.set(cell, what);
	cell.replaceChildren(...parts.map(node));
}

/* ---- rates ---- */

/* Seconds between this snapshot and the last one, by the clock of the server; NaN if that is not known. */
let elapsed = NaN;
let uptime = NaN;

function measure(snapshot) {
	const now = sensible(snapshot.uptime) ? snapshot.uptime : performance.now() / 1000;
	elapsed = now >= uptime ? now - uptime : NaN;
	uptime = now;
}

/* How much a counter grows in a second; null if that is not known. memory keeps what it was. */
function growth(memory, key, value) {
	const last = memory[key];
	if (last && elapsed === 0)
		return last.rate;
	const rate = last && elapsed > 0 && value >= last.value ? (value - last.value) / elapsed : null;
	memory[key] = { value: value, rate: rate };
	return rate;
}

const memories = new WeakMap();

function memoryOf(thing) {
	if (!memories.has(thing))
		memories.set(thing, {});
	return memories.get(thing);
}

/* The parts of a cell that is described by these data-*. */
function parts(described, root, memory) {
	const kind = described.dataset.as, key = described.dataset.key, value = find(root, key);
	const list = CELLS[kind](value);
	if ("grows" in described.dataset && list.length > 0) {
		const rate = growth(memory, key, value);
		if (rate !== null)
			list.push(["rate", kind === "bytes" ? bytesRate(rate) : countRate(rate)]);
	}
	return list;
}

/* ---- facts and tables ---- */

function updateFacts(snapshot) {
	for (const fact of document.querySelectorAll("[data-as]:not(th)")) {
		const list = parts(fact, snapshot, memoryOf(fact));
		if (fact.dataset.as === "refusal")
			fact.parentNode.hidden = list.length === 0;
		show(fact, list.length > 0 || fact.dataset.as === "refusal" ? list : NONE);
	}
}

function newRow(heads, reflows) {
	return element("tr", {}, ...heads.map(function (head, i) {
		const cell = element(i === 0 ? "th" : "td", i === 0 ? { scope: "row" } : {});
		if (reflows && i > 0)
			cell.dataset.label = head.textContent;
		if (head.className)
			cell.className = head.className;
		return cell;
	}));
}

/* The rows of a table by the ids of their items. */
const rowsOf = new WeakMap();

function updateRows(table, heads, list) {
	const body = table.tBodies[0], old = rowsOf.get(table) || new Map(), rows = new Map();
	const filled = heads.map(head => !("optional" in head.dataset));
	const contents = list.map(function (item) {
		let id = table.dataset.ids.split(" ").map(key => find(item, key)).join(" ");
		while (rows.has(id))
			id += "+";
		const row = old.get(id) || newRow(heads, table.classList.contains("reflows"));
		rows.set(id, row);
		return heads.map(function (head, i) {
			const list = parts(head, item, memoryOf(row));
			filled[i] = filled[i] || list.length > 0;
			return list.length > 0 ? list : NONE;
		});
	});

	rowsOf.set(table, rows);
	heads.forEach((head, i) => { head.hidden = !filled[i]; });
	[...rows.values()].forEach(function (row, i) {
		if (body.children[i] !== row)
			body.insertBefore(row, body.children[i] || null);
		heads.forEach(function (head, k) {
			row.cells[k].hidden = !filled[k];
			show(row.cells[k], contents[i][k]);
		});
	});
	while (body.children.length > rows.size)
		body.lastChild.remove();
	if (rows.size === 0)
		body.append(element("tr", {}, element("td", { "class": "nothing", colspan: heads.length },
			table.dataset.nothing)));
}

function updateTable(table, snapshot) {
	const list = find(snapshot, table.dataset.list), max = Number(table.dataset.rows);
	const section = table.closest("section"), more = section.querySelector(".more");
	section.hidden = !Array.isArray(list);
	document.querySelector("nav a[href='#" + section.id + "']").hidden = section.hidden;
	if (section.hidden)
		return;
	updateRows(table, [...table.tHead.rows[0].cells], list.slice(0, max));
	more.hidden = list.length <= max;
	more.textContent = Math.max(list.length - max, 0) + " more are not shown.";
}

/* ---- plots ---- */

const SPAN = 300;
const GAP = 3.5;
const ALL = "";

/* One for each snapshot: when it came, and figures by the name of the service. ALL is their sum. */
let samples = [];
const before = new Map();
let selected = ALL;

const PLOTS = [
	{ title: "Open connections", unit: count, max: 4, series: [["open", "open"]] },
	{ title: "Accepted connections per second", unit: countRate, max: 4,
		series: [["accepted", "accepted"]] },
	{ title: "Bytes per second", unit: bytesRate, max: 64, binary: true,
		series: [["in", "bytes_in"], ["out", "bytes_out"]] },
	{ title: "Mean time", unit: time, max: 0.001,
		series: [["connection", "duration"], ["answer", "answer"]] }
];

function add(sum, figures) {
	for (const key in figures)
		if (figures[key] !== null)
			sum[key] = (sum[key] || 0) + figures[key];
}

/* What is plotted of one service. */
function figuresOf(service) {
	if (!before.has(service.name))
		before.set(service.name, {});
	const memory = before.get(service.name);
	const figures = { open: sensible(find(service, "slots.open")) ? service.slots.open : null };
	const grown = (name, path) => {
		const value = find(service, path);
		figures[name] = sensible(value) ? growth(memory, name, value) : null;
	};
	for (const key of ["accepted", "bytes_in", "bytes_out"])
		grown(key, key);
	for (const key of ["duration", "answer"]) {
		grown(key + "_sum", "times." + key + ".sum");
		grown(key + "_count", "times." + key + ".count");
	}
	return figures;
}

function sample(snapshot) {
	const now = performance.now() / 1000, services = snapshot.services || [], by = new Map(), sum = {};
	const names = new Set(services.map(s => s.name));
	if (elapsed === 0)
		return;
	for (const name of before.keys())
		if (!names.has(name))
			before.delete(name);
	for (const service of services) {
		const figures = figuresOf(service);
		by.set(service.name, figures);
		add(sum, figures);
	}
	by.set(ALL, sum);
	samples.push({ at: now, by: by });
	samples = samples.filter(s => now - s.at <= SPAN);
}

/* null where nothing is known: before the service came, and for a mean, where nothing ended. */
function valueOf(figures, key) {
	if (!figures)
		return null;
	if (key !== "duration" && key !== "answer")
		return key in figures ? figures[key] : null;
	return figures[key + "_count"] > 0 ? figures[key + "_sum"] / figures[key + "_count"] : null;
}

/* The next number above n that is easy to read: 1, 2 or 5 times a power of ten, or a power of two. */
function ceiling(n, binary) {
	if (binary)
		return Math.pow(2, Math.ceil(Math.log2(n)));
	const power = Math.pow(10, Math.floor(Math.log10(n)));
	return [1, 2, 5, 10].map(f => f * power).find(max => max >= n * 0.999999);
}

/* Pieces of a line, between which nothing is known. */
function piecesOf(key, max) {
	const last = samples[samples.length - 1].at, pieces = [];
	let open = null, at = 0;
	for (const s of samples) {
		const value = valueOf(s.by.get(selected), key);
		if (value === null || s.at - at > GAP)
			open = null;
		if (value !== null && !open)
			pieces.push(open = []);
		if (value !== null)
			open.push((SPAN - last + s.at).toFixed(1) + " " +
				(100 - value / max * 100).toFixed(1));
		at = s.at;
	}
	return pieces;
}

function firstAndLast(piece) {
	return [piece[0].split(" ")[0], piece[piece.length - 1].split(" ")[0]];
}

function drawSeries(plot, i, max) {
	const pieces = piecesOf(plot.series[i][1], max);
	const path = pieces.map(p => "M" + p.join("L") + (p.length === 1 ? "h0" : "")).join("");
	plot.lines[i].setAttribute("d", path);
	if (i === 0)
		plot.area.setAttribute("d", pieces.map(function (p) {
			const [from, to] = firstAndLast(p);
			return "M" + from + " 100L" + p.join("L") + "L" + to + " 100Z";
		}).join(""));
}

function draw(plot) {
	const values = plot.series.map(([, key]) => samples.map(s => valueOf(s.by.get(selected), key)));
	const known = values.flat().filter(v => v !== null);
	const max = ceiling(Math.max(plot.max, ...known), plot.binary);
	const latest = values.map(list => list.length > 0 ? list[list.length - 1] : null);

	plot.top.textContent = plot.unit(max);
	plot.series.forEach(function ([name], i) {
		const now = latest[i] === null ? "\u2013" : plot.unit(latest[i]);
		plot.now[i].textContent = now;
		plot.keys[i].hidden = plot.series.length > 1 && values[i].every(v => v === null) && i > 0;
		drawSeries(plot, i, max);
	});
	plot.alternative.textContent = plot.title + " over the last five minutes. " +
		plot.series.map(([name], i) => "Now " + name + ": " + plot.now[i].textContent).join(". ") +
		(known.length > 0 ? ". At most: " + plot.unit(Math.max(...known)) + "." : ".");
}

function newPlot(plot) {
	plot.alternative = element("title", {});
	plot.area = element("path", { "class": "area" });
	plot.lines = plot.series.map((_, i) => element("path", { "class": "line s" + i }));
	plot.top = element("span", { "class": "top" });
	plot.now = plot.series.map(() => element("b", {}));
	plot.keys = plot.series.map(([name], i) => element("span", { "class": "key s" + i },
		...(plot.series.length > 1 ? [name + " "] : []), plot.now[i]));
	return element("figure", {},
		element("figcaption", {}, element("span", { "class": "name" }, plot.title), ...plot.keys),
		element("div", { "class": "plot" }, plot.top,
			element("svg", { role: "img", viewBox: "0 0 300 100", preserveAspectRatio: "none" },
				plot.alternative,
				...[0, 50, 100].map(y => element("line", { x1: 0, x2: SPAN, y1: y, y2: y })),
				plot.area, ...plot.lines)),
		element("div", { "class": "axis" },
			element("span", {}, "5 min ago"), element("span", {}, "now")));
}

/* Chooses what is plotted: all services, or one. It is there if there are several. */
const choice = element("select", { id: "of" });
const chooser = element("label", { "for": "of" }, "of ", choice);

function updateChoice(snapshot) {
	const names = (snapshot.services || []).map(s => s.name);
	const wanted = [ALL, ...names];
	chooser.hidden = names.length < 2;
	if ([...choice.options].map(o => o.value).join("\n") === wanted.join("\n"))
		return;
	if (!wanted.includes(selected))
		selected = ALL;
	choice.replaceChildren(...wanted.map(name => element("option", { value: name },
		name === ALL ? "all services" : name)));
	choice.value = selected;
}

function startPlots() {
	const section = document.getElementById("plots");
	section.append(element("div", { "class": "heading" },
		element("h2", {}, "The last five minutes"), chooser),
		element("div", { "class": "grid" }, ...PLOTS.map(newPlot)));
	section.hidden = false;
	choice.addEventListener("change", function () {
		selected = choice.value;
		PLOTS.forEach(draw);
	});
}

/* ---- the server ---- */

const PATIENCE = 3;
const GIVE_UP_MS = 10000;
const silence = document.getElementById("silence");
const spoken = document.getElementById("spoken");

let isAsking = false;
let answered = performance.now();

/* Says it on the page each second, and aloud once. */
function judge() {
	const since = (performance.now() - answered) / 1000;
	const isSilent = since >= PATIENCE;
	silence.textContent = isSilent ? "No answer since " + age(since) + ". All figures are older." : "";
	if (isSilent === silence.hidden)
		spoken.textContent = isSilent ? "The server does not answer." : "The server answers again.";
	silence.hidden = !isSilent;
	document.body.classList.toggle("old", isSilent);
}

function update(snapshot) {
	measure(snapshot);
	updateFacts(snapshot);
	document.querySelectorAll("table").forEach(table => updateTable(table, snapshot));
	sample(snapshot);
	updateChoice(snapshot);
	if (samples.length > 0)
		PLOTS.forEach(draw);
}

async function fetchSnapshot() {
	const answer = await fetch("status.json",
		{ cache: "no-store", signal: AbortSignal.timeout(GIVE_UP_MS) });
	if (!answer.ok)
		throw new Error("status " + answer.status);
	return answer.json();
}

async function ask() {
	let snapshot = null;
	if (isAsking)
		return;
	isAsking = true;
	try {
		snapshot = await fetchSnapshot();
	} catch (e) {
		/* It is asked again in a second. */
	} finally {
		isAsking = false;
	}
	if (snapshot !== null && typeof snapshot === "object") {
		answered = performance.now();
		update(snapshot);
	}
	judge();
}

function tick() {
	if (document.hidden)
		return;
	judge();
	ask();
}

/* While the page is hidden, nothing is asked, and no answer is missed. */
document.addEventListener("visibilitychange", function () {
	answered = performance.now();
	tick();
});

startPlots();
tick();
setInterval(tick, 1000);
})();
