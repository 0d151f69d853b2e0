/**
 * An ONNX model of one operator, `c = a · bᵀ` for matrices of any size (Gemm with transB, operator set
 * 13), of a hundred bytes. Field numbers are those of onnx.proto3 (ONNX 1.13); the encoding is that of
 * Protocol Buffers.
 */
export function productModel(): Uint8Array {
  const transposed = [...text(1, "transB"), ...number(3, 1), ...number(20, attributeIsInt)];
  const node = [
    ...text(1, "a"),
    ...text(1, "b"),
    ...text(2, "c"),
    ...text(4, "Gemm"),
    ...message(5, transposed),
  ];
  const graph = [
    ...message(1, node),
    ...text(2, "product"),
    ...message(11, matrix("a", "m", "k")),
    ...message(11, matrix("b", "n", "k")),
    ...message(12, matrix("c", "m", "n")),
  ];
  const operators = message(8, number(2, 13));
  return Uint8Array.from([...number(1, irVersion), ...message(7, graph), ...operators]);
}

const irVersion = 8;
const attributeIsInt = 2;
const isFloat32 = 1;

/** A `ValueInfoProto` of a matrix whose sizes have names. */
function matrix(name: string, rows: string, columns: string): number[] {
  const shape = [...message(1, text(2, rows)), ...message(1, text(2, columns))];
  const tensor = [...number(1, isFloat32), ...message(2, shape)];
  return [...text(1, name), ...message(2, message(1, tensor))];
}

/** Field numbers are below 32 and lengths below 128 or two bytes: a varint holds 7 bits a byte. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...varint(value >>> 7)];
}

function number(field: number, value: number): number[] {
  return [...varint(field << 3), ...varint(value)];
}

function message(field: number, bytes: readonly number[]): number[] {
  return [...varint(field << 3 | 2), ...varint(bytes.length), ...bytes];
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}
