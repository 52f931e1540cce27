import type { System } from '../api/types.ts';

/** What is computed with, and under which licence. */
export function ModelsCard({ models }: { readonly models: System['models'] }) {
  return (
    <section className="panel card card-wide" aria-label="Models">
      <h2>Models</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Task</th>
            <th scope="col">Licence</th>
            <th scope="col">Commercial use</th>
          </tr>
        </thead>
        <tbody>
          {models.map(({ id, task, licence, commercialUse }) => (
            <tr key={id}>
              <th scope="row">{id}</th>
              <td>{task}</td>
              <td>{licence}</td>
              <td>
                <span className={commercialUse ? 'chip chip-good' : 'chip chip-wait'}>{commercialUse ? 'allowed' : 'not allowed'}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
