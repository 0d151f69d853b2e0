import type { Trouble } from "./exchange.ts";
import { isAboutKey } from "./gemini.ts";
import type { ModelError } from "./json_model.ts";
import { VisionProblem } from "./vision.ts";

/** What an error of a model means for a picture, and for the others. */
export function visionProblemOf({ message, trouble }: ModelError): VisionProblem {
  switch (trouble.type) {
    case "key":
      return new VisionProblem(message, "no-key", true);
    case "settings":
    case "web-page":
      return new VisionProblem(message, "settings", true);
    case "unreachable":
      return new VisionProblem(message, "no-network", true);
    case "refused":
      return new VisionProblem(message, "refused", false);
    case "late":
      return new VisionProblem(message, "late", false);
    case "status":
      return statusProblem(message, trouble);
    default:
      return new VisionProblem(message, "server", false);
  }
}

function statusProblem(
  message: string,
  trouble: Trouble & { readonly type: "status" },
): VisionProblem {
  const { status, codes, isQuotaSpent } = trouble;
  if (isQuotaSpent || status === 429) return new VisionProblem(message, "no-quota", true);
  if ([401, 403].includes(status) || isAboutKey(trouble)) {
    return new VisionProblem(message, "wrong-key", true);
  }
  if (isSightless(trouble)) {
    const help = 'give a "model" that sees pictures';
    return new VisionProblem(`${message} (${help})`, "no-model", true);
  }
  if (status === 404 || isUnknownModel(trouble)) {
    return new VisionProblem(message, "no-model", true);
  }
  // Google's word for a country or an account that it does not serve.
  const isForAll = codes.includes("FAILED_PRECONDITION") || (status >= 300 && status < 400);
  if (isForAll) return new VisionProblem(message, "settings", true);
  if ([400, 413, 415, 422].includes(status)) {
    return new VisionProblem(message, "rejected-image", false);
  }
  return new VisionProblem(message, "server", false);
}

const noModel =
  /model identifier|on-demand throughput|inference profile|no models? (?:is |are )?loaded/i;

function isUnknownModel({ status, said }: Trouble & { readonly type: "status" }): boolean {
  return status === 400 && noModel.test(said);
}

const sight = /\b(?:image|images|image_url|vision|multimodal)\b/i;
const lacking = /(?:not|n't|only) support|not a multimodal|missing/i;

/** Whether the model takes no pictures, in the words of the servers that we know: to Ollama it is a fault. */
export function isSightless({ status, said }: Trouble & { readonly type: "status" }): boolean {
  if (![400, 422, 500].includes(status)) return false;
  const isSaid = sight.test(said) && lacking.test(said) && /\bmodels?\b/i.test(said);
  return isSaid || /at most 0 image/i.test(said);
}
