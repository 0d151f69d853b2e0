import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import { SourceFile } from "../../src/runtime/source.ts";

Deno.test("lines and columns are counted from 1, columns in UTF-16 code units", () => {
  const file = new SourceFile("r.yaml", "ab\né📷x\n");
  assert.deepEqual(file.position(0), { line: 1, column: 1 });
  assert.deepEqual(file.position(2), { line: 1, column: 3 });
  assert.deepEqual(file.position(3), { line: 2, column: 1 });
  assert.deepEqual(file.position(6), { line: 2, column: 4 });
  assert.deepEqual(file.position(8), { line: 3, column: 1 });
});

Deno.test("a carriage return before a line feed belongs to the line's end", () => {
  const file = new SourceFile("r.yaml", "ab\r\ncd\r\n");
  assert.equal(file.lineText(1), "ab");
  assert.deepEqual(file.position(4), { line: 2, column: 1 });
  assert.equal(file.lineText(2), "cd");
  assert.equal(file.lineText(3), "");
});

Deno.test("a byte order mark moves no column", () => {
  const file = new SourceFile("r.yaml", "\uFEFFab");
  assert.equal(file.text, "ab");
  assert.deepEqual(file.position(1), { line: 1, column: 2 });
});

Deno.test("an offset and its place say the same", () => {
  const lines = fc.array(fc.string({ unit: "binary" }), { maxLength: 8 });
  fc.assert(fc.property(lines, fc.nat(), (parts, seed) => {
    const file = new SourceFile("r.yaml", parts.join("\n"));
    const offset = seed % (file.text.length + 1);
    const { line, column } = file.position(offset);
    assert.equal(file.offset(line, column), offset);
    assert.equal(file.text.slice(0, offset).split("\n").length, line);
  }));
});

Deno.test("the mark stands below what it marks, also behind wide characters and tabs", () => {
  const text = '\twith: { folder: "写真📷", hiden: true }';
  const file = new SourceFile("r.yaml", text);
  const start = text.indexOf("hiden");
  const shown = formatDiagnostic({
    code: "c",
    severity: "error",
    message: "m",
    span: { file, start, end: start + 5 },
  });
  assert.equal(
    shown,
    `r.yaml:1:${start + 1} error[c] m\n   1 | ${text}\n     | \t${
      " ".repeat('with: { folder: "'.length + 6 + '", '.length)
    }~~~~~`,
  );
});

Deno.test("of a very long line what lies around the mark is shown", () => {
  const file = new SourceFile("r.yaml", `${"a".repeat(5000)}b${"c".repeat(5000)}`);
  const shown = formatDiagnostic({
    code: "c",
    severity: "error",
    message: "m",
    span: { file, start: 5000, end: 5001 },
  });
  const [first, excerpt, mark] = shown.split("\n");
  assert.equal(first, "r.yaml:1:5001 error[c] m");
  assert.ok(excerpt!.length < 200);
  assert.equal(excerpt![mark!.indexOf("~")], "b");
});
