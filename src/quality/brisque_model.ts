import stored from "../../models/brisque_opencv.json" with { type: "json" };
import type { BrisqueModel } from "./brisque.ts";

/** OpenCV's model, as `models/README-brisque.md` says it was made. */
export function opencvModel(): BrisqueModel {
  const bytes = Uint8Array.fromBase64(stored.vectors_float32_base64);
  const view = new DataView(bytes.buffer);
  return {
    ranges: stored.ranges,
    vectors: {
      gamma: stored.gamma,
      rho: stored.rho,
      coefficients: Float64Array.from(stored.coefficients),
      vectors: Float32Array.from(
        { length: bytes.length / 4 },
        (_, at) => view.getFloat32(4 * at, true),
      ),
    },
  };
}
