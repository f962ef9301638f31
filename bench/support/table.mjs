const number = (value) => {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  return size >= 100
    ? value.toFixed(0)
    : size >= 10
      ? value.toFixed(1)
      : value.toFixed(3).replace(/\.?0+$/, '');
};

/** Prints a bench's rows under one another: ours, the peer's, ours / peer, the goal. */
export function printTable({ peer, rows, notes = [] }) {
  const cells = rows.map((row) => [
    row.what,
    number(row.ours),
    number(row.peer),
    typeof row.ours === 'number' && row.peer ? number(row.ours / row.peer) : '–',
    row.unit,
    row.goal ? `${row.goal}${row.met === undefined ? '' : row.met ? ' ✓' : ' ✗'}` : '',
  ]);
  const lines = [['', 'ours', 'peer', 'ratio', 'unit', 'goal'], ...cells];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  console.log(`  peer: ${peer}`);
  for (const line of lines) {
    const padded = line.map((cell, column) =>
      column >= 1 && column <= 3 ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
    );
    console.log(`  ${padded.join('  ').trimEnd()}`);
  }
  for (const note of notes) console.log(`  ${note}`);
}
