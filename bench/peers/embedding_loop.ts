import { join } from "node:path";
import ort from "onnxruntime-node";
import sharp from "sharp";

/**
 * What people write without Tintype: a loop over onnxruntime-node, the pictures of a folder one after
 * the other through SqueezeNet, while the next is decoded. Arguments: the folder and the model's file.
 */
const [source, model] = Deno.args as [string, string];
const side = 224;
const mean = [103.94, 116.78, 123.68];

const session = await ort.InferenceSession.create(model);
const names = Array.from(Deno.readDirSync(source), (entry) => entry.name).sort();

async function prepared(name: string): Promise<ort.Tensor> {
  const pixels = await sharp(join(source, name))
    .rotate().resize(side, side, { fit: "fill" }).removeAlpha().raw().toBuffer();
  const samples = new Float16Array(3 * side * side);
  for (let at = 0; at < side * side; at++) {
    for (let channel = 0; channel < 3; channel++) {
      samples[channel * side * side + at] = pixels[3 * at + 2 - channel]! - mean[channel]!;
    }
  }
  const bits = new Uint16Array(samples.buffer);
  const tensor = new ort.Tensor("float16", bits, [1, 3, side, side]);
  // The library makes a Float16Array of it, which its native side cannot read under Deno.
  return Object.defineProperty(tensor, "cpuData", { value: bits });
}

let next = prepared(names[0]!);
for (let at = 0; at < names.length; at++) {
  const tensor = await next;
  if (at + 1 < names.length) next = prepared(names[at + 1]!);
  await session.run({ data_0: tensor });
}
