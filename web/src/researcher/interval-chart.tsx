//! Figures with their 95% intervals. Whoever uses it puts the same numbers into a table beside it.
import { useEffect, useRef } from "react";
import type uPlot from "uplot";

export interface Interval {
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const HEIGHT = 260;

export function IntervalChart({ of, title }: { of: readonly Interval[]; title: string }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const inside = frame.current;
    if (!inside) return;
    let plot: uPlot | undefined;
    let isGone = false;
    let redraw = () => undefined as void;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const resize = new ResizeObserver(() => plot?.setSize({ width: inside.clientWidth, height: HEIGHT }));
    void Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]).then(([{ default: make }]) => {
      if (isGone) return;
      redraw = () => {
        plot?.destroy();
        plot = new make(optionsOf(make, inside, of), [of.map((_, at) => at), of.map(({ value }) => value)], inside);
      };
      redraw();
      resize.observe(inside);
      dark.addEventListener("change", redraw);
    });
    return () => {
      isGone = true;
      resize.disconnect();
      dark.removeEventListener("change", redraw);
      plot?.destroy();
    };
  }, [of]);
  return <div className="chart intervals" role="img" aria-label={title} ref={frame} />;
}

function optionsOf(make: typeof uPlot, frame: HTMLElement, of: readonly Interval[]): uPlot.Options {
  const { color: ink, borderTopColor: line, caretColor: mark, fontFamily } = getComputedStyle(frame);
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line }, font: `14px ${fontFamily}` };
  const bars = make.paths.bars?.({ size: [0.5, 64] });
  const least = Math.min(0, ...of.map(({ low }) => low));
  const most = Math.max(0, ...of.map(({ high }) => high));
  const room = (most - least || 1) * 0.08;
  return {
    width: frame.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [-0.5, of.length - 0.5] }, y: { range: [least < 0 ? least - room : 0, most + room] } },
    axes: [
      { ...axis, grid: { show: false }, incrs: [1, 2, 5, 10, 20], values: (_, at) => at.map((one) => (Number.isInteger(one) ? (of[one]?.name ?? "") : "")) },
      { ...axis, size: 60 },
    ],
    series: [{}, { fill: mark, width: 0, points: { show: false }, ...(bars && { paths: bars }) }],
    hooks: { draw: [(plot) => whiskers(plot, of, ink, line)] },
  };
}

/** From the lower end to the upper one, with a bar at each: seen on the bar and beyond it. */
function whiskers(plot: uPlot, of: readonly Interval[], ink: string, halo: string): void {
  const { ctx } = plot;
  const unit = devicePixelRatio;
  ctx.save();
  for (const [stroke, width] of [[halo, 5], [ink, 2]] as const) {
    ctx.strokeStyle = stroke;
    ctx.lineWidth = width * unit;
    ctx.beginPath();
    of.forEach(({ low, high }, at) => {
      const x = plot.valToPos(at, "x", true);
      const [bottom, top] = [plot.valToPos(low, "y", true), plot.valToPos(high, "y", true)];
      ctx.moveTo(x, bottom);
      ctx.lineTo(x, top);
      for (const y of [bottom, top]) {
        ctx.moveTo(x - 7 * unit, y);
        ctx.lineTo(x + 7 * unit, y);
      }
    });
    ctx.stroke();
  }
  ctx.restore();
}
