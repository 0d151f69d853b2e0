import type { Vision, VisionModels, VisionQuestion } from "../../src/services/vision.ts";

/** A model that answers when the test lets it, with words that tell its answers apart. */
export class Model implements VisionModels {
  readonly questions: VisionQuestion[] = [];
  /** Resolves when the next answer may go out. */
  gate: Promise<unknown> = Promise.resolve();
  #hears: () => void = () => {};
  says: (call: number) => string = (call) => answer(`answer ${call}`);

  connect(): Promise<Vision> {
    return Promise.resolve({
      limits: { formats: ["jpeg", "png"], maxBytes: 5_000_000, maxSidePx: 8000 },
      ask: async (question) => {
        const call = this.questions.push(question);
        this.#hears();
        await this.gate;
        const text = this.says(call);
        return { text, model: "see-1", inputTokens: 300, outputTokens: 50 };
      },
      forecast: () => ({ model: "see-1", inputTokens: 300, outputTokens: 60, cost: 0.0002 }),
      costOf: () => 0.0002,
    });
  }

  /** Resolves when it has been asked one more time. */
  asked(): Promise<void> {
    return new Promise((resolve) => this.#hears = resolve);
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}

/** What a model that sees says of a room. */
export function answer(elements: string): string {
  return JSON.stringify({
    viewpoint: "wide view from the door",
    elements,
    materials: "grey stone",
    lighting: "soft light",
    activity: "",
  });
}
