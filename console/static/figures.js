// Figures of columns that the session tells none of (dates, lists), from the cells of the sample.

const SLICES = 20;
const COMMON = 10;
const DAY = 10;

// The view with distinctValuesCount, mostCommonValues and for dates valueDistribution in every column.
export function withFigures(view) {
  view.columns.forEach((column, at) => {
    if (column.distinctValuesCount !== undefined) return;
    const counts = new Map();
    for (const row of view.rows) if (row[at] !== null) counts.set(row[at], (counts.get(row[at]) ?? 0) + 1);
    column.distinctValuesCount = counts.size;
    column.mostCommonValues = [...counts].sort((a, b) => b[1] - a[1]).slice(0, COMMON)
      .map(([value, count]) => ({ value, count }));
    if (column.type === "date" || column.type === "timestamp") column.valueDistribution = slices(counts);
  });
  return view;
}

function slices(counts) {
  const times = [...counts].map(([text, count]) => [Date.parse(text.slice(0, DAY)), count]).filter(([time]) => time);
  if (!times.length) return [];
  const first = times.reduce((least, [time]) => Math.min(least, time), Infinity);
  const last = times.reduce((most, [time]) => Math.max(most, time), -Infinity);
  const step = (last - first) / SLICES || 1;
  const day = (time) => new Date(time).toISOString().slice(0, DAY);
  const found = Array.from({ length: SLICES }, (_, at) => ({ count: 0,
    bucket: [day(first + at * step), day(first + (at + 1) * step)] }));
  for (const [time, count] of times) found[Math.min(SLICES - 1, Math.floor((time - first) / step))].count += count;
  return found;
}
