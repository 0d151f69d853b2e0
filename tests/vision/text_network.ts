/**
 * An ONNX network for tests, as bytes: `input_ids` [n, 77] int64 → `text_embeds` [n, 3], the ids at
 * three places of the text. (onnx.proto: ModelProto, GraphProto, NodeProto, TensorProto.)
 */
export function textNetwork(places: readonly [number, number, number]): Uint8Array {
  const weights = new Float32Array(77 * 3);
  places.forEach((place, column) => weights[place * 3 + column] = 1);
  const initializer = [
    ...number(1, 77),
    ...number(1, 3),
    ...number(2, types.float32),
    ...text(8, "weights"),
    ...message(9, [...new Uint8Array(weights.buffer)]),
  ];
  const toFloat = [...text(1, "to"), ...number(3, types.float32), ...number(20, 2)];
  const cast = [
    ...text(1, "input_ids"),
    ...text(2, "numbers"),
    ...text(4, "Cast"),
    ...message(5, toFloat),
  ];
  const product = [
    ...text(1, "numbers"),
    ...text(1, "weights"),
    ...text(2, "text_embeds"),
    ...text(4, "MatMul"),
  ];
  const graph = [
    ...message(1, cast),
    ...message(1, product),
    ...text(2, "text"),
    ...message(5, initializer),
    ...message(11, tensor("input_ids", types.int64, 77)),
    ...message(12, tensor("text_embeds", types.float32, 3)),
  ];
  const operators = message(8, [...text(1, ""), ...number(2, 13)]);
  return new Uint8Array([...number(1, 8), ...message(7, graph), ...operators]);
}

/** Numbers of TensorProto.DataType. */
const types = { float32: 1, int64: 7 };

function tensor(name: string, type: number, length: number): number[] {
  const shape = [...message(1, text(2, "n")), ...message(1, number(1, length))];
  const contents = message(1, [...number(1, type), ...message(2, shape)]);
  return [...text(1, name), ...message(2, contents)];
}

function number(field: number, value: number): number[] {
  return [...varint(field << 3), ...varint(value)];
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}

function message(field: number, content: readonly number[]): number[] {
  return [...varint(field << 3 | 2), ...varint(content.length), ...content];
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...varint(value >> 7)];
}
