// Charts, each with its numbers as a table for those who would rather read.
//
// Chart.js (4.6.1, vendor/chart.umd.min.js) is loaded by the pages before this module, as the global `Chart`.

import { element, formatNumber } from "./page.js";

const { Chart } = globalThis;

/** How many letters of a category's name stand beside its bar, on each of two lines. The table has all of it. */
const LABEL_LENGTH = { narrow: 13, wide: 17 };

/** Up to how many pixels a picture is narrow. */
const NARROW = 340;

const all = new Set();

/** Writes each horizontal bar's value beside it. */
const valuesBesideBars = {
  id: "valuesBesideBars",
  afterDatasetsDraw(chart) {
    if (chart.options.indexAxis !== "y") return;
    const { ctx: context } = chart;
    context.save();
    context.font = `600 12px ${Chart.defaults.font.family}`;
    context.fillStyle = colour("text");
    context.textBaseline = "middle";
    for (const [index, bar] of chart.getDatasetMeta(0).data.entries()) {
      context.fillText(formatNumber(chart.data.datasets[0].data[index]), bar.x + 6, bar.y);
    }
    context.restore();
  },
};

/**
 * A chart in the `figure` of an id: under its caption come a legend, the picture, and the table.
 */
export class ChartPanel {
  #figure;
  #options;
  #chart = null;
  #shown = "";
  #series = [];

  /**
   * @param id the figure's id
   * @param options `kind` (`bar`, `line`), `isHorizontal`, `isStacked`, `format` of values and of marks along their axis, the title `x` of the axis below
   */
  constructor(id, options) {
    this.#figure = document.getElementById(id);
    this.#options = { format: formatNumber, formatMark: options.format ?? formatNumber, ...options };
    this.canvas = element("canvas", { role: "img" });
    this.picture = element("div", { class: "picture" }, this.canvas);
    this.legend = element("ul", { class: "legend", "aria-hidden": "true" });
    this.nothing = element("p", { class: "nothing" });
    this.table = element("div", {
      class: "numbers",
      tabindex: "0",
      role: "region",
      "aria-label": `${this.#title}: the numbers`,
    });
    this.details = element("details", {}, element("summary", {}, "Show the numbers"), this.table);
    this.#figure.append(this.legend, this.picture, this.nothing, this.details);
    all.add(this);
  }

  /**
   * Shows numbers.
   *
   * @param labels what each number is of, along the axis
   * @param series `name`, `values` (`null`: none), `colour` (a custom property of the style sheet, or one for each value)
   * @param summary what the chart says, in a sentence
   * @param columns the table's headings
   * @param rows the table's rows: texts
   * @param nothing what to say if there is nothing to show
   */
  show({ labels, series, summary, columns, rows, nothing }) {
    // What has not changed is left alone, so that neither the eye nor a screen reader loses its place.
    const shown = JSON.stringify([labels, series, rows, nothing]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const isEmpty = rows.length === 0;
    this.nothing.hidden = !isEmpty;
    this.nothing.textContent = isEmpty ? nothing : "";
    this.picture.hidden = this.details.hidden = isEmpty;
    this.legend.hidden = isEmpty || series.length < 2;
    if (isEmpty) return;
    this.canvas.setAttribute("aria-label", `${this.#title}. ${summary} The numbers follow as a table.`);
    this.#series = series;
    const shape = this.#options.kind === "line" ? "is-line" : "";
    this.legend.replaceChildren(
      ...(this.legend.hidden ? [] : series).map(({ name, colour: of, isThin }) =>
        element("li", { class: `key-${of} ${shape} ${isThin ? "is-thin" : ""}` }, name),
      ),
    );
    this.table.replaceChildren(table(this.#title, columns, rows));
    this.#draw(labels);
  }

  /** Draws again, in the colours of the theme. */
  repaint() {
    if (!this.#chart) return;
    this.#paint();
    this.#chart.update("none");
  }

  get #title() {
    return this.#figure.querySelector("h2, h3").textContent;
  }

  #draw(labels) {
    const { kind, isHorizontal } = this.#options;
    if (isHorizontal) this.picture.style.height = `${labels.length * 34 + 12}px`;
    this.#chart ??= new Chart(this.canvas, {
      type: kind,
      data: { labels: [], datasets: [] },
      options: this.#settings(),
      plugins: [valuesBesideBars],
    });
    this.#chart.data.labels = labels;
    this.#chart.data.datasets = this.#series.map(({ name, values, isThin }) => ({
      label: name,
      data: values,
      borderWidth: kind === "line" ? (isThin ? 1.5 : 3) : 0,
      // Without a point, a day between two days of nothing would not be seen.
      pointRadius: isThin || values.length <= 7 ? 2.5 : 0,
      pointHoverRadius: 5,
      borderRadius: isHorizontal ? 3 : 2,
      maxBarThickness: isHorizontal ? 20 : 44,
      categoryPercentage: isHorizontal ? 0.9 : 0.88,
      barPercentage: isHorizontal ? 0.8 : 0.94,
      // A curve that goes no higher than what it stands for.
      cubicInterpolationMode: "monotone",
    }));
    this.#paint();
    this.#chart.update("none");
  }

  #settings() {
    const { isHorizontal, isStacked, format, formatMark, x } = this.#options;
    const categories = {
      stacked: isStacked,
      grid: { display: false },
      border: { display: true },
      title: { display: Boolean(x), text: x },
      ticks: isHorizontal
        ? { autoSkip: false, callback: (index) => this.#inTwoLines(this.#chart?.data.labels[index] ?? "") }
        : { maxRotation: 0, autoSkipPadding: 14 },
    };
    const values = {
      stacked: isStacked,
      beginAtZero: true,
      display: !isHorizontal,
      border: { display: false },
      ticks: {
        precision: format === formatNumber ? 0 : undefined,
        maxTicksLimit: 6,
        callback: (value) => formatMark(value),
      },
    };
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      indexAxis: isHorizontal ? "y" : "x",
      interaction: { mode: "index", axis: isHorizontal ? "y" : "x", intersect: false },
      // Room for the value beside the longest bar.
      layout: { padding: { right: isHorizontal ? 52 : 4, top: 4 } },
      scales: isHorizontal ? { x: values, y: categories } : { x: categories, y: values },
      plugins: {
        legend: { display: false },
        tooltip: {
          padding: 10,
          cornerRadius: 6,
          boxPadding: 4,
          callbacks: {
            label: ({ dataset, parsed }) => ` ${dataset.label}: ${format(isHorizontal ? parsed.x : parsed.y)}`,
          },
        },
      },
    };
  }

  #inTwoLines(text) {
    const length = this.picture.clientWidth <= NARROW ? LABEL_LENGTH.narrow : LABEL_LENGTH.wide;
    if (text.length <= length) return text;
    const space = text.lastIndexOf(" ", length);
    const [first, rest] =
      space > 0 ? [text.slice(0, space), text.slice(space + 1)] : [text.slice(0, length), text.slice(length)];
    return [first, rest.length > length ? `${rest.slice(0, length - 1).trimEnd()}…` : rest];
  }

  #paint() {
    for (const [index, dataset] of this.#chart.data.datasets.entries()) {
      const { colour: of } = this.#series[index];
      const painted = Array.isArray(of) ? of.map(colour) : colour(of);
      Object.assign(dataset, { backgroundColor: painted, borderColor: painted, hoverBackgroundColor: painted });
    }
    const { scales, plugins } = this.#chart.options;
    for (const scale of Object.values(scales)) {
      scale.ticks.color = colour("muted");
      if (scale.title) scale.title.color = colour("muted");
      scale.grid.color = scale.border.color = colour("line");
    }
    Object.assign(plugins.tooltip, {
      backgroundColor: colour("text"),
      titleColor: colour("panel"),
      bodyColor: colour("panel"),
    });
  }
}

/** A table with headings: the first of each row is what the row is about. */
export function table(caption, columns, rows) {
  const head = element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map(([first, ...others]) =>
    element("tr", {}, element("th", { scope: "row" }, first), ...others.map((text) => element("td", {}, text))),
  );
  return element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, head),
    element("tbody", {}, ...body),
  );
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

Chart.defaults.font.family = getComputedStyle(document.documentElement).fontFamily;
Chart.defaults.font.size = 12;
document.addEventListener("themechange", () => all.forEach((chart) => chart.repaint()));
