// SQL takes its values as parameters only. Refuses template strings with `${}` and joined strings that hold SQL.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ts from 'typescript';

const STATEMENT = /^\s*(select|insert|update|delete|replace|create|drop|alter|attach|pragma|vacuum|with)\b/i;
/** A sentence for people may begin with such a word as well; SQL goes on with a keyword of its own. */
const GOES_ON = /\b(from|into|set|table|index|view|trigger|values|where|database|pragma)\b/i;
/** Methods of a database that take nothing but SQL. */
const SQL_CALLS = new Set(['prepare', 'pragma']);

/**
 * Places where SQL is put together at run time.
 * @param {string} file @param {string} text
 * @returns {string[]} `file:line: source`
 */
export function findInterpolatedSql(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  /** @type {string[]} */
  const found = [];
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (holdsSql(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${file}:${line + 1}: ${node.getText().split('\n')[0]}`);
    } else ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** @param {ts.Node} node */
function holdsSql(node) {
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && SQL_CALLS.has(node.expression.name.text)) {
    return node.arguments.slice(0, 1).some((argument) => ts.isTemplateExpression(argument) || ts.isBinaryExpression(argument));
  }
  const start = firstText(node);
  return start !== undefined && STATEMENT.test(start) && GOES_ON.test(node.getText());
}

/**
 * Text that a put-together string begins with.
 * @param {ts.Node} node @returns {string | undefined}
 */
function firstText(node) {
  if (ts.isTemplateExpression(node)) return node.head.text;
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined;
  return ts.isStringLiteralLike(node.left) ? node.left.text : firstText(node.left);
}

if (import.meta.main) {
  const files = execFileSync('git', ['ls-files', '--', 'edge', 'cloud', 'shared', 'models', 'provisioning'], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => file.endsWith('.ts'));
  const found = files.flatMap((file) => findInterpolatedSql(file, readFileSync(file, 'utf8')));
  for (const place of found) console.error(place);
  console.log(`SQL: ${files.length} sources, ${found.length} places put SQL together`);
  process.exitCode = files.length > 0 && found.length === 0 ? 0 : 1;
}
