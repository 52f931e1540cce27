/**
 * The assignment of rows to columns with the least total cost (Hungarian method in the form with potentials and
 * shortest augmenting paths, Jonker and Volgenant 1987; time n^2 m). Every row gets a column, or every column a row,
 * whichever there are fewer of. The same costs always give the same assignment.
 *
 * @param costs rows of equal length; finite numbers, of either sign
 * @returns for each row its column, or -1
 */
export function assign(costs: readonly (readonly number[])[]): number[] {
  const rows = costs.length;
  const columns = costs[0]?.length ?? 0;
  if (rows <= columns) return assignRows(costs, rows, columns);
  const transposed = Array.from({ length: columns }, (_, column) => costs.map((row) => row[column] as number));
  const rowOf = assignRows(transposed, columns, rows);
  const columnOf = new Array<number>(rows).fill(-1);
  rowOf.forEach((row, column) => {
    columnOf[row] = column;
  });
  return columnOf;
}

/** The method itself, for at most as many rows as columns. Index 0 of the working arrays stands for "none". */
function assignRows(costs: readonly (readonly number[])[], rows: number, columns: number): number[] {
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  const rowOfColumn = new Int32Array(columns + 1);
  const previous = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row++) {
    rowOfColumn[0] = row;
    let column = 0;
    const slack = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY);
    const done = new Uint8Array(columns + 1);
    do {
      done[column] = 1;
      const from = rowOfColumn[column] as number;
      let delta = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let j = 1; j <= columns; j++) {
        if (done[j]) continue;
        const cost = (costs[from - 1]?.[j - 1] as number) - (rowPotential[from] as number) - (columnPotential[j] as number);
        if (cost < (slack[j] as number)) {
          slack[j] = cost;
          previous[j] = column;
        }
        if ((slack[j] as number) < delta) {
          delta = slack[j] as number;
          next = j;
        }
      }
      for (let j = 0; j <= columns; j++) {
        if (done[j]) {
          const owner = rowOfColumn[j] as number;
          rowPotential[owner] = (rowPotential[owner] as number) + delta;
          columnPotential[j] = (columnPotential[j] as number) - delta;
        } else {
          slack[j] = (slack[j] as number) - delta;
        }
      }
      column = next;
    } while (rowOfColumn[column] !== 0);
    while (column !== 0) {
      const before = previous[column] as number;
      rowOfColumn[column] = rowOfColumn[before] as number;
      column = before;
    }
  }
  const columnOf = new Array<number>(rows).fill(-1);
  for (let j = 1; j <= columns; j++) {
    const row = rowOfColumn[j] as number;
    if (row > 0) columnOf[row - 1] = j - 1;
  }
  return columnOf;
}
