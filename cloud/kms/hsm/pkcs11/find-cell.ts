import type pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import type { Cell } from '../hsm.ts';
import { CELL_MUST_BE, cellOf } from './attributes.ts';
import type { Session } from './session.ts';

/**
 * The one key of a cell. Tokens take the same CKA_ID twice, so that it is counted; and its attributes are looked at, since a
 * key that was brought in from outside, or that may decrypt, is no cell.
 * @throws {SecureGateError} `cell_gone`, `hsm_refused` (two of them, or not made as cells are)
 */
export function findCell(session: Session, cell: Cell): pkcs11.Handle {
  const found = session.find(cellOf(cell));
  const [key] = found;
  const { org, tenant, epoch } = cell;
  if (key === undefined) {
    throw new SecureGateError('cell_gone', 'The HSM has no cell of this tenant and epoch', { details: { org, tenant, epoch } });
  }
  if (found.length > 1) {
    throw new SecureGateError('hsm_refused', 'The HSM has several keys of the id of one cell', { details: { org, tenant, epoch } });
  }
  const names = Object.keys(CELL_MUST_BE) as (keyof typeof CELL_MUST_BE)[];
  const values = session.read(key, ...names);
  const wrong = names.filter((name, index) => (values[index]?.[0] === 1) !== CELL_MUST_BE[name]);
  if (wrong.length > 0) {
    throw new SecureGateError('hsm_refused', 'The key in place of a cell was not made as cells are', {
      details: { org, tenant, epoch, wrong },
    });
  }
  return key;
}
