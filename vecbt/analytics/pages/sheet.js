/* The charts of a page: reads the values in its JSON block and draws them with Apache ECharts. Text from the page's author is never taken
   for HTML: whatever goes into a tooltip passes through `plain`. */
(function () {
"use strict";

var INK = "#1f2933", MUTED = "#5f6c79", LINE = "#e4e8ec";
var BLUE = "#1b5e8c", RED = "#9c3224", TEAL = "#0f7b6c", ORANGE = "#c8641b";
var LINES = ["#1b5e8c", "#c8641b", "#0f7b6c", "#8a4f9e", "#a08420", "#5b6b7b", "#c2487a", "#3f8fc4", "#7a9a2e", "#8c5a3c", "#4450a8", "#2f9e9e"];
var DASHES = ["solid", "dashed", "dotted"];
var ZONES = { 1: "#faefc8", 2: "#f9dcbd", 3: "#f0c3bd" };
var FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
var NARROW = 560, PRINT = 720;
var UP = "path://M0,9L5,0L10,9Z", DOWN = "path://M0,0L10,0L5,9Z";

var tight = false;  /* whether the chart being made is narrow */
var data = JSON.parse(document.getElementById("sheet-data").textContent);

/* --- words and numbers ------------------------------------------------------------------------------------------------ */

function plain(value) {
  return String(value).replace(/[&<>"']/g, function (sign) { return "&#" + sign.charCodeAt(0) + ";"; });
}

function grouped(value, digits) {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function written(kind, value) {
  if (value === null || value === undefined || value !== value || value === "-") { return "\u2013"; }
  if (kind === "percent") { return grouped(value * 100, 2) + "%"; }
  if (kind === "ratio") { return grouped(value, 2); }
  if (kind === "count") { return grouped(value, 0); }
  if (kind === "price") { return value.toLocaleString("en-US", { maximumSignificantDigits: 7 }); }
  return grouped(value, Math.abs(value) < 1e6 ? 2 : 0);
}

/* on an axis: no more digits than its ticks need */
function tick(kind) {
  var short = tight;
  return function (value) {
    if (kind === "percent") { return Number((value * 100).toPrecision(6)) + "%"; }
    var size = Math.abs(value);
    if (short && size >= 1e4 && size < 1e6) { return Number((value / 1e3).toPrecision(6)) + " k"; }
    if (size >= 1e9) { return Number((value / 1e9).toPrecision(6)) + " B"; }
    if (size >= 1e6) { return Number((value / 1e6).toPrecision(6)) + " M"; }
    return value.toLocaleString("en-US", { maximumSignificantDigits: 8 });
  };
}

function two(value) { return (value < 10 ? "0" : "") + value; }

function day(stamp, whole) {
  if (data.counted) { return "bar " + grouped(stamp, 0); }
  var time = new Date(stamp);
  var date = time.getUTCFullYear() + "-" + two(time.getUTCMonth() + 1) + "-" + two(time.getUTCDate());
  return whole || stamp % 86400000 === 0 ? date : date + " " + two(time.getUTCHours()) + ":" + two(time.getUTCMinutes());
}

function stamps(time) {
  var found = [time.from], at = time.from;
  time.steps.forEach(function (step) { at += step * time.unit; found.push(at); });
  return found;
}

function pairs(times, values) {
  return times.map(function (time, k) { return [time, values[k]]; });
}

function row(color, name, value) {
  var mark = color ? '<span style="display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:6px;background:' + color + '"></span>' : "";
  return '<div style="display:flex;justify-content:space-between;gap:18px"><span>' + mark + plain(name) + "</span><b>" + plain(value) + "</b></div>";
}

function head(words) {
  return '<div style="margin-bottom:3px;color:' + MUTED + '">' + plain(words) + "</div>";
}

/* --- parts of options ------------------------------------------------------------------------------------------------- */

function base(narrow, printed) {
  tight = narrow;
  return {
    animation: false,
    useUTC: true,
    backgroundColor: "#fff",
    textStyle: { fontFamily: FONT, color: INK, fontSize: 11 },
    tooltip: {
      trigger: "axis", confine: true, transitionDuration: 0, borderColor: LINE, padding: [7, 10],
      textStyle: { color: INK, fontSize: 12, fontFamily: FONT },
      axisPointer: { type: "line", lineStyle: { color: MUTED, width: 1, type: "dashed" } }
    },
    toolbox: {
      show: !narrow && !printed, right: 2, top: 1, padding: 0, itemSize: 12, itemGap: 10, showTitle: false, iconStyle: { borderColor: MUTED },
      feature: { dataZoom: { yAxisIndex: "none" }, restore: {}, saveAsImage: { pixelRatio: 2, name: "chart" } }
    }
  };
}

function titled(text, top, left) {
  return { text: text, left: left === undefined ? 0 : left, top: top, textStyle: { fontSize: 12, fontWeight: 600, color: INK, fontFamily: FONT, lineHeight: 16 }, padding: 0 };
}

function timeAxis(index, first, last, labels, narrow) {
  return {
    type: data.counted ? "value" : "time", gridIndex: index, min: first, max: last, splitNumber: narrow ? 3 : 8,
    axisLine: { onZero: false, lineStyle: { color: MUTED, width: 0.6 } }, axisTick: { show: labels, lineStyle: { color: MUTED } },
    axisLabel: {
      show: labels, color: MUTED, hideOverlap: true, showMinLabel: false, showMaxLabel: false,
      formatter: data.counted ? undefined : { year: "{yyyy}", month: narrow ? "{MMM} {yy}" : "{MMM}", day: "{d} {MMM}", hour: "{HH}:{mm}", minute: "{HH}:{mm}", second: "{HH}:{mm}:{ss}" }
    },
    splitLine: { show: false }, axisPointer: { label: { show: false } }
  };
}

function valueAxis(index, kind, extra) {
  var axis = {
    type: "value", gridIndex: index, scale: true, splitNumber: 4,
    axisLine: { show: false }, axisTick: { show: false }, splitLine: { lineStyle: { color: LINE, width: 0.7 } },
    axisLabel: { color: MUTED, formatter: tick(kind), hideOverlap: true }, axisPointer: { show: false }
  };
  return Object.assign(axis, extra || {});
}

/* the library labels powers of ten only: here 1, 1.5, 2, 3, 5, 7 in each of them, and more where the values lie close together */
function logAxis(index, kind, all) {
  var low = Infinity, high = 0, ticks = [];
  all.forEach(function (values) { values.forEach(function (v) { if (v > 0) { low = Math.min(low, v); high = Math.max(high, v); } }); });
  var steps = high > 30 * low ? [1, 2, 5] : high > 4 * low ? [1, 1.5, 2, 3, 5, 7] : [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9];
  for (var power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    steps.forEach(function (step) { ticks.push(Number((step * Math.pow(10, power)).toPrecision(3))); });
  }
  return valueAxis(index, kind, {
    type: "log", logBase: 10, min: "dataMin", max: "dataMax", axisTick: { show: false, customValues: ticks },
    axisLabel: { color: MUTED, formatter: tick(kind), hideOverlap: true, customValues: ticks },
    splitLine: { lineStyle: { color: LINE, width: 0.7 }, customValues: ticks }
  });
}

function line(name, index, values, color, extra) {
  var series = {
    name: name, type: "line", xAxisIndex: index, yAxisIndex: index, data: values, showSymbol: values.length === 1, symbolSize: 5,
    lineStyle: { width: 1.3, color: color }, itemStyle: { color: color }, emphasis: { disabled: true }
  };
  return Object.assign(series, extra || {});
}

function zero(color) {
  return { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: color || MUTED, width: 0.8, type: "solid" }, data: [{ yAxis: 0 }] };
}

/* at first a stretch that can be read, around the last fills */
function begun(p, count, wanted) {
  if (count < 1.6 * wanted) { return undefined; }
  var at = p.fills.at, last = at.length ? at[at.length - 1] : count - 1;
  var past = Math.min(count, last + Math.round(wanted / 8));
  return [100 * Math.max(past - wanted, 0) / count, 100 * past / count];
}

function zooms(axes, narrow, printed, range) {
  var inside = { type: "inside", xAxisIndex: axes, zoomOnMouseWheel: "ctrl", moveOnMouseMove: true, moveOnMouseWheel: false, disabled: narrow };
  var slider = {
    type: "slider", xAxisIndex: axes, show: !printed, bottom: 6, height: 22, showDetail: false, showDataShadow: false, brushSelect: false,
    borderColor: LINE, fillerColor: "rgba(27, 94, 140, 0.12)", handleSize: narrow ? "120%" : "90%", moveHandleSize: 0
  };
  if (range) { inside.start = slider.start = range[0]; inside.end = slider.end = range[1]; }
  return [inside, slider];
}

/* --- the charts: each gives its height and its option ------------------------------------------------------------------ */

var logarithmic = Boolean(data.log);

function curves(narrow, printed) {
  var c = data.curves, times = stamps(c.time), first = times[0], last = times[times.length - 1];
  var left = narrow ? 46 : 62, right = narrow ? 10 : 16;
  var tops = [26, 312, 440], heights = [250, 92, 76];
  var equity = c.equity.map(function (value) { return logarithmic && !(value > 0) ? null : value; });
  var zones = c.zones.map(function (zone) { return [{ xAxis: zone[1], itemStyle: { color: ZONES[zone[0]] } }, { xAxis: zone[2] }]; });
  function shade() { return zones.length ? { silent: true, data: zones, label: { show: false } } : undefined; }
  var several = Boolean(c.low);
  var marks = [{ yAxis: c.initial, lineStyle: { color: MUTED, type: "dashed", width: 0.9 } }];
  (c.flows || []).forEach(function (flow) {
    marks.push({ xAxis: flow[0], lineStyle: { color: flow[1] > 0 ? TEAL : ORANGE, type: "dotted", width: 1 } });
  });
  var series = [
    line(several ? "mean of accounts" : "equity", 0, pairs(times, equity), BLUE, {
      markArea: shade(), markLine: { silent: true, symbol: "none", label: { show: false }, data: marks }
    }),
    line(several ? "mean drawdown" : "drawdown", 1, pairs(times, c.drawdown), RED, { areaStyle: { color: RED, opacity: 0.22 }, markArea: shade() }),
    line("gross exposure", 2, pairs(times, c.gross), BLUE, { step: "end", areaStyle: { color: BLUE, opacity: 0.16 }, lineStyle: { width: 0.6, color: BLUE } }),
    line("net exposure", 2, pairs(times, c.net), ORANGE, { step: "end", lineStyle: { width: 0.9, color: ORANGE, opacity: c.bars > 20000 ? 0.5 : 1 }, markLine: zero() })
  ];
  if (several) {
    var thin = { lineStyle: { width: 0.8, color: BLUE, opacity: 0.55, type: "dashed" } };
    series.push(line("lowest account", 0, pairs(times, logarithmic ? c.low.map(function (v) { return v > 0 ? v : null; }) : c.low), BLUE, thin));
    series.push(line("highest account", 0, pairs(times, c.high), BLUE, thin));
    series.push(line("deepest account", 1, pairs(times, c.deepest), RED, { lineStyle: { width: 0.8, color: RED, type: "dashed" } }));
  }
  var kinds = { "drawdown": "percent", "mean drawdown": "percent", "deepest account": "percent", "gross exposure": "percent", "net exposure": "percent" };
  var option = Object.assign(base(narrow, printed), {
    title: [
      titled((several ? "Equity: mean, lowest and highest account" : "Equity") + (logarithmic ? ", logarithmic" : ""), 0),
      titled("Drawdown, below the highest close so far", tops[1] - 22),
      titled("Exposure, share of equity: gross (filled), net (line)", tops[2] - 22)
    ],
    grid: tops.map(function (top, k) { return { left: left, right: right, top: top, height: heights[k], outerBoundsMode: "none" }; }),
    xAxis: [0, 1, 2].map(function (k) { return timeAxis(k, first, last, k === 2, narrow); }),
    yAxis: [
      logarithmic ? logAxis(0, "money", several ? [c.low, c.high] : [c.equity]) : valueAxis(0, "money"),
      valueAxis(1, "percent", { splitNumber: 2, max: 0, scale: false }),
      valueAxis(2, "percent", { splitNumber: 2, scale: false })
    ],
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    dataZoom: zooms([0, 1, 2], narrow, printed),
    series: series
  });
  option.tooltip.formatter = function (all) {
    var seen = {}, text = head(day(all[0].value[0]));
    all.forEach(function (p) {
      if (!seen[p.seriesName]) { seen[p.seriesName] = 1; text += row(p.color, p.seriesName, written(kinds[p.seriesName] || "money", p.value[1])); }
    });
    return text;
  };
  return { height: printed ? 550 : 590, option: option };
}

function rolling(narrow, printed) {
  var r = data.rolling, times = stamps(r.time), first = r.range[0], last = r.range[1];
  var names = r.names, step = narrow ? 132 : 146, left = narrow ? 46 : 62;
  var kinds = {};
  var series = names.map(function (name, k) {
    kinds[data.rolling.labels[k]] = data.rolling.kinds[k];
    return line(data.rolling.labels[k], k, pairs(times, r.values[name]), [BLUE, ORANGE, TEAL][k % 3], { markLine: zero() });
  });
  var option = Object.assign(base(narrow, printed), {
    title: names.map(function (name, k) { return titled(data.rolling.labels[k], k * step); }),
    grid: names.map(function (name, k) { return { left: left, right: narrow ? 10 : 16, top: k * step + 24, height: step - 48, outerBoundsMode: "none" }; }),
    xAxis: names.map(function (name, k) { return timeAxis(k, first, last, k === names.length - 1, narrow); }),
    yAxis: names.map(function (name, k) { return valueAxis(k, data.rolling.kinds[k], { splitNumber: 3, scale: false }); }),
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    dataZoom: zooms(names.map(function (name, k) { return k; }), narrow, printed),
    series: series
  });
  option.tooltip.formatter = function (all) {
    return head(day(all[0].value[0])) + all.map(function (p) { return row(p.color, p.seriesName, written(kinds[p.seriesName], p.value[1])); }).join("");
  };
  return { height: names.length * step + (printed ? 6 : 44), option: option };
}

function prices(narrow, printed) {
  var p = data.prices;
  return p.o ? candles(p, narrow, printed) : relative(p, narrow, printed);
}

function relative(p, narrow, printed) {
  var times = stamps(p.time), many = p.lines.length;
  var series = p.lines.map(function (one, k) {
    return line(one.name, 0, pairs(times, one.values), LINES[k], { connectNulls: true, lineStyle: { width: 1.1, color: LINES[k], type: DASHES[Math.floor(k / 4) % 3] } });
  });
  var rows = Math.ceil(many / (narrow ? 3 : 8)), top = 12 + 20 * rows;
  var option = Object.assign(base(narrow, printed), {
    legend: { top: 0, left: 0, width: narrow ? 350 : printed ? 690 : 900, icon: "roundRect", itemWidth: 14, itemHeight: 4, textStyle: { color: INK, fontSize: 11 } },
    grid: [{ left: narrow ? 46 : 62, right: narrow ? 10 : 16, top: top, height: 290 - top, outerBoundsMode: "none" }],
    xAxis: [timeAxis(0, times[0], times[times.length - 1], true, narrow)],
    yAxis: [p.log ? logAxis(0, "ratio", p.lines.map(function (one) { return one.values; })) : valueAxis(0, "ratio")],
    dataZoom: zooms([0], narrow, printed),
    series: series
  });
  option.tooltip.formatter = function (all) {
    return head(day(all[0].value[0])) + all.map(function (one) { return row(one.color, one.seriesName, written("ratio", one.value[1])); }).join("");
  };
  return { height: printed ? 320 : 360, option: option };
}

/* several runs in one chart: growth of one unit of money, and drawdown */
function growth(narrow, printed) {
  var runs = data.growth, first = Infinity, last = -Infinity, series = [];
  runs.forEach(function (run, k) {
    var times = stamps(run.time), color = LINES[k % LINES.length], look = { color: color, type: DASHES[Math.floor(k / 4) % 3] };
    first = Math.min(first, times[0]);
    last = Math.max(last, times[times.length - 1]);
    var values = run.growth.map(function (value) { return logarithmic && !(value > 0) ? null : value; });
    series.push(line(run.name, 0, pairs(times, values), color, { lineStyle: Object.assign({ width: 1.4 }, look) }));
    series.push(line(run.name, 1, pairs(times, run.drawdown), color, { lineStyle: Object.assign({ width: 1 }, look) }));
  });
  var rows = Math.ceil(runs.reduce(function (sum, run) { return sum + Math.min(run.name.length, 40) * 6.5 + 34; }, 0) / (narrow ? 330 : 860));
  var top = 24 + 19 * rows, left = narrow ? 46 : 62, right = narrow ? 10 : 16;
  var tops = [top, top + 300], heights = [252, 110];
  var option = Object.assign(base(narrow, printed), {
    title: [titled("Growth of 1" + (logarithmic ? ", logarithmic" : ""), top - 22), titled("Drawdown", tops[1] - 22)],
    legend: { top: 0, left: 0, width: narrow ? 350 : printed ? 690 : 900, icon: "roundRect", itemWidth: 14, itemHeight: 4, textStyle: { color: INK, fontSize: 11, width: 260, overflow: "truncate" } },
    grid: tops.map(function (at, k) { return { left: left, right: right, top: at, height: heights[k], outerBoundsMode: "none" }; }),
    xAxis: [0, 1].map(function (k) { return timeAxis(k, first, last, k === 1, narrow); }),
    yAxis: [
      logarithmic ? logAxis(0, "ratio", runs.map(function (run) { return run.growth; })) : valueAxis(0, "ratio"),
      valueAxis(1, "percent", { splitNumber: 3, max: 0, scale: false })
    ],
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    dataZoom: zooms([0, 1], narrow, printed),
    series: series
  });
  option.tooltip.formatter = function (all) {
    var text = head(day(all[0].value[0])), depths = {};
    all.forEach(function (p) { if (p.axisIndex === 1) { depths[p.seriesName] = p.value[1]; } });
    all.forEach(function (p) {
      if (p.axisIndex === 0) {
        var below = depths[p.seriesName] === undefined ? "" : " (" + written("percent", depths[p.seriesName]) + ")";
        text += row(p.color, p.seriesName, written("ratio", p.value[1]) + below);
      }
    });
    return text;
  };
  return { height: tops[1] + heights[1] + (printed ? 30 : 66), option: option };
}

/* the sets of a sweep: a line a set, an axis a parameter, the metric last */
function parallel(narrow, printed) {
  var p = data.parallel, at = p.axes.length, pale = "#dbe4ea", dark = "#124a70";
  var axes = p.axes.map(function (axis, k) {
    var made = { dim: k, name: axis.name, nameTextStyle: { width: narrow ? 78 : 110, overflow: "truncate" } };
    return axis.labels ? Object.assign(made, { type: "category", data: axis.labels }) : Object.assign(made, { type: "value", scale: true });
  });
  axes.push({ dim: at, name: p.metric, type: "value", scale: true, inverse: p.lower, axisLabel: { formatter: tick(p.kind) } });
  var option = Object.assign(base(narrow, printed), {
    parallelAxis: axes,
    parallel: {
      left: narrow ? 92 : 40, right: narrow ? 30 : 80, top: narrow ? 20 : 48, bottom: 28, layout: narrow ? "vertical" : "horizontal",
      parallelAxisDefault: {
        nameLocation: narrow ? "start" : "end", nameGap: 12, nameTextStyle: { color: INK, fontWeight: 600, align: narrow ? "right" : "center" },
        axisLine: { lineStyle: { color: MUTED, width: 1 } }, axisTick: { lineStyle: { color: MUTED } },
        axisLabel: { color: INK, hideOverlap: true, textBorderColor: "#fff", textBorderWidth: 2 }, areaSelectStyle: { color: BLUE, opacity: 0.15, borderColor: BLUE, width: 18 }
      }
    },
    visualMap: { show: false, dimension: at, min: p.low, max: p.high > p.low ? p.high : p.low + 1, inRange: { color: p.lower ? [dark, "#7fa9c4", pale] : [pale, "#7fa9c4", dark] } },
    series: [{
      type: "parallel", smooth: false, data: p.rows, inactiveOpacity: 0.03, activeOpacity: 0.9, progressive: 0,
      lineStyle: { width: p.rows.length > 400 ? 1 : 1.6, opacity: p.rows.length > 400 ? 0.45 : 0.75 }, emphasis: { lineStyle: { width: 3, opacity: 1, color: ORANGE } }
    }]
  });
  option.toolbox.feature = { restore: {}, saveAsImage: { pixelRatio: 2, name: "sets" } };
  option.toolbox.top = -2;
  option.tooltip.trigger = "item";
  option.tooltip.formatter = function (one) {
    var values = p.rows[one.dataIndex], text = head("set " + p.sets[one.dataIndex]);
    p.axes.forEach(function (axis, k) { text += row("", axis.name, axis.labels ? axis.labels[values[k]] : written("price", values[k])); });
    return text + row("", p.metric, written(p.kind, values[at]));
  };
  return { height: narrow ? 60 + 84 * axes.length : 392, option: option };
}

function candles(p, narrow, printed) {
  var times = stamps(p.time), daily = times.every(function (time) { return time % 86400000 === 0; });
  var labels = times.map(function (time) { return day(time); });
  var volume = Boolean(p.v), left = narrow ? 46 : 62, right = narrow ? 26 : 16, axes = volume ? [0, 1] : [0];
  var marks = p.fills.at.map(function (at, k) { return { at: at, price: p.fills.price[k], quantity: p.fills.quantity[k], count: p.fills.count[k] }; });
  var byCandle = {};
  marks.forEach(function (mark) { (byCandle[mark.at] = byCandle[mark.at] || []).push(mark); });
  var stopAt = {};
  p.stops.forEach(function (stop) { for (var k = stop[0]; k <= stop[1]; k += 1) { stopAt[k] = stop[2]; } });
  function side(buys) {
    var chosen = marks.filter(function (mark) { return (mark.quantity > 0) === buys; });
    return {
      name: buys ? "bought" : "sold", type: "scatter", xAxisIndex: 0, yAxisIndex: 0, symbol: buys ? UP : DOWN, symbolSize: [11, 10], z: 5,
      itemStyle: { color: buys ? TEAL : ORANGE, borderColor: "#fff", borderWidth: 0.8 }, emphasis: { disabled: true },
      data: chosen.map(function (mark) { return [mark.at, mark.price]; })
    };
  }
  var series = [{
    name: "bars", type: "candlestick", xAxisIndex: 0, yAxisIndex: 0, large: false, barMaxWidth: 12,
    data: times.map(function (time, k) { return p.c[k] === null ? ["-", "-", "-", "-"] : [p.o[k], p.c[k], p.l[k], p.h[k]]; }),
    itemStyle: { color: "#fff", color0: "#8b96a2", borderColor: "#66717d", borderColor0: "#66717d", borderWidth: 0.9 }, emphasis: { disabled: true },
    markArea: {
      silent: true, label: { show: false },
      data: p.held.map(function (one) { return [{ xAxis: one[1], itemStyle: { color: one[0] > 0 ? TEAL : ORANGE, opacity: 0.09 } }, { xAxis: one[2] }]; })
    }
  }];
  if (p.stops.length) {
    series.push({
      name: "first stop", type: "custom", xAxisIndex: 0, yAxisIndex: 0, z: 4, clip: true, encode: { x: [0, 1], y: 2 }, data: p.stops, itemStyle: { color: RED },
      renderItem: function (params, api) {
        var from = api.coord([api.value(0), api.value(2)]), to = api.coord([api.value(1), api.value(2)]), half = api.size([1, 0])[0] / 2;
        return { type: "line", shape: { x1: from[0] - half, y1: from[1], x2: to[0] + half, y2: to[1] }, style: { stroke: RED, lineWidth: 1.2, lineDash: [4, 3] } };
      }
    });
  }
  series.push(side(true), side(false));
  if (volume) {
    series.push({ name: "volume", type: "bar", xAxisIndex: 1, yAxisIndex: 1, data: p.v, itemStyle: { color: "#aab4be" }, emphasis: { disabled: true }, large: true });
  }
  function axis(k) {
    var shown = k === axes.length - 1;
    return {
      type: "category", gridIndex: k, data: labels, boundaryGap: true, axisLine: { onZero: false, lineStyle: { color: MUTED, width: 0.6 } },
      axisTick: { show: false }, axisLabel: { show: shown, color: MUTED, hideOverlap: true, alignMinLabel: "left", alignMaxLabel: "right", formatter: daily ? undefined : function (text) { return text.slice(5); } },
      splitLine: { show: false }, axisPointer: { label: { show: false } }
    };
  }
  var option = Object.assign(base(narrow, printed), {
    legend: { top: 0, left: 0, selectedMode: false, itemWidth: 11, itemHeight: 9, itemGap: 14, textStyle: { color: INK, fontSize: 11 },
      data: [{ name: "bought", icon: UP }, { name: "sold", icon: DOWN }].concat(p.stops.length ? [{ name: "first stop", icon: "rect", itemStyle: { color: RED } }] : []) },
    grid: [{ left: left, right: right, top: 26, height: volume ? 260 : 320, outerBoundsMode: "none" }].concat(volume ? [{ left: left, right: right, top: 308, height: 54, outerBoundsMode: "none" }] : []),
    xAxis: axes.map(axis),
    yAxis: [valueAxis(0, "money")].concat(volume ? [valueAxis(1, "money", { splitNumber: 1, scale: false })] : []),
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    dataZoom: zooms(axes, narrow, printed, begun(p, times.length, narrow ? 90 : 180)),
    series: series
  });
  option.tooltip.formatter = function (all) {
    var k = all[0].dataIndex, text;
    all.forEach(function (one) { if (one.seriesName === "bars" || one.seriesName === "volume") { k = one.dataIndex; } });
    text = head(labels[k] + (p.size > 1 ? ", " + p.size + " bars" : ""));
    [["open", p.o], ["high", p.h], ["low", p.l], ["close", p.c]].forEach(function (one) { text += row("", one[0], written("price", one[1][k])); });
    if (volume) { text += row("", "volume", written("count", p.v[k])); }
    (byCandle[k] || []).forEach(function (mark) {
      var many = mark.count > 1 ? " in " + mark.count + " fills" : "";
      text += row(mark.quantity > 0 ? TEAL : ORANGE, (mark.quantity > 0 ? "bought " : "sold ") + written("price", Math.abs(mark.quantity)) + many, written("price", mark.price));
    });
    return stopAt[k] === undefined ? text : text + row(RED, "first stop", written("price", stopAt[k]));
  };
  return { height: printed ? 384 : 424, option: option };
}

function trades(narrow, printed) {
  var t = data.trades, width = narrow ? 0 : 50;
  var names = ["mae", "mfe"], words = ["Adverse excursion (MAE) against profit", "Favourable excursion (MFE) against profit"];
  var series = [];
  names.forEach(function (name, k) {
    [true, false].forEach(function (won) {
      var points = [];
      t.pnl.forEach(function (pnl, i) { if ((pnl > 0) === won && t[name][i] !== null && pnl !== null) { points.push([t[name][i], pnl, i]); } });
      series.push({
        name: won ? "won" : "lost or even", type: "scatter", xAxisIndex: k, yAxisIndex: k, data: points, symbol: won ? "circle" : "diamond",
        symbolSize: t.pnl.length > 500 ? 5 : 8, itemStyle: { color: won ? TEAL : ORANGE, opacity: t.pnl.length > 500 ? 0.5 : 0.75 }, markLine: won ? undefined : zero()
      });
    });
  });
  var tops = narrow ? [50, 336] : [50, 50], left = narrow ? 48 : 66;
  var option = Object.assign(base(narrow, printed), {
    title: words.map(function (text, k) { return titled(text, tops[k] - 22, k && !narrow ? width + "%" : 0); }),
    legend: { top: 0, left: 0, data: ["won", "lost or even"], itemWidth: 10, itemHeight: 9, textStyle: { color: INK, fontSize: 11 } },
    grid: names.map(function (name, k) {
      return Object.assign({ top: tops[k], outerBoundsMode: "none" }, narrow ? { left: left, right: 16, height: 210 } : k ? { left: "57%", right: 16, height: 240 } : { left: left, width: "38%", height: 240 });
    }),
    xAxis: names.map(function (name, k) {
      return valueAxis(k, "percent", { scale: false, name: name.toUpperCase() + ", of the entry price", nameLocation: "middle", nameGap: 26, nameTextStyle: { color: MUTED }, splitNumber: narrow ? 3 : 5 });
    }),
    yAxis: names.map(function (name, k) { return valueAxis(k, "money", { scale: false }); }),
    series: series
  });
  option.toolbox.feature = { dataZoom: {}, restore: {}, saveAsImage: { pixelRatio: 2, name: "trades" } };
  option.tooltip.trigger = "item";
  option.tooltip.formatter = function (one) {
    var i = one.value[2];
    return head((t.long[i] ? "long " : "short ") + t.symbols[t.symbol[i]] + ", " + (t.entry[i] === null ? "held before" : day(t.entry[i]))) +
      row("", "profit", written("money", t.pnl[i])) + row("", "bars held", written("count", t.bars[i])) +
      row("", "MAE", written("percent", t.mae[i])) + row("", "MFE", written("percent", t.mfe[i]));
  };
  return { height: narrow ? 596 : 340, option: option };
}

function costs(narrow, printed) {
  var rows = data.costs, at = 0;
  var steps = rows.map(function (one, k) {
    var whole = k === 0 || k === rows.length - 1, from = whole ? 0 : at;
    at = whole ? one[1] : at + one[1];
    return { value: [k, from, at, one[1]], whole: whole };
  });
  var option = Object.assign(base(narrow, printed), {
    grid: [{ left: narrow ? 88 : 110, right: narrow ? 74 : 100, top: 6, height: rows.length * 34 }],
    xAxis: [valueAxis(0, "money", { scale: false, splitNumber: narrow ? 2 : 5 })],
    yAxis: [{ type: "category", inverse: true, data: rows.map(function (one) { return one[0]; }), axisLine: { show: false }, axisTick: { show: false }, axisLabel: { color: INK } }],
    series: [{
      type: "custom", encode: { x: [1, 2], y: 0 }, data: steps.map(function (step) { return step.value; }), clip: false,
      markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: MUTED, type: "solid", width: 0.8 }, data: [{ xAxis: 0 }] },
      renderItem: function (params, api) {
        var k = api.value(0), a = api.coord([api.value(1), k]), b = api.coord([api.value(2), k]), high = 20;
        var whole = steps[k].whole, color = whole ? BLUE : api.value(3) < 0 ? ORANGE : TEAL;
        return {
          type: "group",
          children: [
            { type: "rect", shape: { x: Math.min(a[0], b[0]), y: a[1] - high / 2, width: Math.max(Math.abs(a[0] - b[0]), 1.5), height: high }, style: { fill: color } },
            { type: "text", style: { text: written("money", api.value(3)), x: Math.max(a[0], b[0]) + 6, y: a[1], textVerticalAlign: "middle", verticalAlign: "middle", fill: INK, font: "11px " + FONT } }
          ]
        };
      }
    }]
  });
  option.toolbox.show = false;
  option.tooltip.trigger = "item";
  option.tooltip.formatter = function (one) { return row("", rows[one.value[0]][0], written("money", one.value[3])); };
  return { height: rows.length * 34 + 34, option: option };
}

/* --- bringing them to the page ------------------------------------------------------------------------------------------ */

var makers = { curves: curves, growth: growth, parallel: parallel, rolling: rolling, prices: prices, trades: trades, costs: costs };
var shown = {};

function draw(name) {
  var place = document.getElementById("chart-" + name), narrow = place.clientWidth < NARROW;
  var made = makers[name](narrow, false), old = shown[name];
  place.style.height = made.height + "px";
  if (old) {
    old.chart.resize();
  } else {
    shown[name] = old = { chart: echarts.init(place, null, { renderer: "canvas" }), place: place };
    /* the library takes every turn of the wheel over a chart that can zoom: without the key it is the page's */
    place.addEventListener("wheel", function (turn) { if (!turn.ctrlKey) { turn.stopPropagation(); } }, { capture: true, passive: true });
  }
  old.narrow = narrow;
  old.chart.setOption(made.option, { notMerge: true });
}

function resize() {
  Object.keys(shown).forEach(function (name) {
    var one = shown[name];
    if ((one.place.clientWidth < NARROW) !== one.narrow) { draw(name); } else { one.chart.resize(); }
  });
}

/* on paper each chart is a picture of the paper's width, as far zoomed as it is on the screen */
function pictures() {
  Object.keys(shown).forEach(function (name) {
    var made = makers[name](false, true), zoom = (shown[name].chart.getOption().dataZoom || [])[0];
    if (zoom) { made.option.dataZoom.forEach(function (one) { one.start = zoom.start; one.end = zoom.end; }); }
    var chart = echarts.init(document.createElement("div"), null, { renderer: "canvas", width: PRINT, height: made.height });
    chart.setOption(made.option);
    document.getElementById("print-" + name).src = chart.getDataURL({ pixelRatio: 2, backgroundColor: "#fff" });
    chart.dispose();
  });
}

Object.keys(makers).forEach(function (name) { if (document.getElementById("chart-" + name)) { draw(name); } });

/* the first chart leads: what it is zoomed to, the others with a time axis are, too */
var leader = shown.curves ? "curves" : shown.growth ? "growth" : "";
if (leader) {
  shown[leader].chart.on("datazoom", function () {
    var zoom = shown[leader].chart.getOption().dataZoom[0];
    ["rolling", "prices"].forEach(function (name) {
      if (!shown[name] || (name === "prices" && !data.prices.o && data.prices.time.from !== data.curves.time.from)) { return; }
      var action = { type: "dataZoom", start: zoom.start, end: zoom.end };
      if (name === "prices" && data.prices.o) {
        var times = stamps(data.prices.time), low = times.findIndex(function (time) { return time >= zoom.startValue; });
        var high = times.findIndex(function (time) { return time > zoom.endValue; });
        action = { type: "dataZoom", startValue: Math.max(low, 0), endValue: high < 0 ? times.length - 1 : Math.max(high - 1, 0) };
      }
      shown[name].chart.dispatchAction(action);
    });
  });
  var toggle = document.getElementById("log-equity");
  if (toggle) {
    toggle.hidden = false;
    toggle.setAttribute("aria-pressed", String(logarithmic));
    toggle.addEventListener("click", function () {
      logarithmic = !logarithmic;
      toggle.setAttribute("aria-pressed", String(logarithmic));
      var zoom = shown[leader].chart.getOption().dataZoom[0];
      draw(leader);
      shown[leader].chart.dispatchAction({ type: "dataZoom", start: zoom.start, end: zoom.end });
    });
  }
}

window.addEventListener("resize", resize);
window.addEventListener("beforeprint", pictures);
var paper = window.matchMedia("print");
if (paper.addEventListener) { paper.addEventListener("change", function (change) { if (change.matches) { pictures(); } }); }
}());
