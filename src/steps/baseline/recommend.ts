import { z } from "zod";
import { advise, noAdvice } from "../../baseline/advice.ts";
import { predictEffect } from "../../baseline/effect.ts";
import type { Advice, Effect, Policy, Recommendation } from "../../baseline/policy.ts";
import { policyByRules } from "../../baseline/rules.ts";
import { defineStep, one, produced, type StepContext } from "../../runtime/step.ts";
import { type Advisor, advisors, type AdvisorSettings } from "../../services/advisor.ts";
import { baseline, policy, recommendation } from "./kinds.ts";

const params = z.object({
  advisor: z.enum(["none", "openai_compatible", "gemini"]).default("none").meta({
    description: "the model that is asked beside the rules",
  }),
  model: z.string().min(1).optional().meta({
    description: "the model's name; the first that the server lists, or Gemini's newest Flash, " +
      "when left out",
  }),
  // A key in it would be part of the task key, and of every message.
  base_url: z.string().regex(
    /^https?:\/\/[^\s/?#@]+(\/[^\s?#@]*)?$/,
    'it is no address of a server ("http://localhost:8000/v1" is one)',
  ).optional().meta({
    description: "where an OpenAI-compatible server is, without any key; found from the " +
      "environment or from Foundry Local when left out",
  }),
  timeout_s: z.number().gt(0).max(3600).default(60).meta({
    description: "how long the model may take for an answer",
    unit: "seconds",
  }),
  accept: z.enum(["rules", "advisor"]).default("rules").meta({
    description: "whose policy is applied; the rules' stands wherever the advisor's fails",
  }),
});

type Params = z.output<typeof params>;

/**
 * Recommends what to normalize a set to: a policy by rules always, each number with its quantile and
 * reason, and a model's beside it where one is asked. A model that does not answer, or not usably,
 * leaves the rules' policy standing; the next run then asks again.
 */
export const recommend = defineStep({
  name: "baseline.recommend",
  version: 1,
  doc: "Recommends a policy for normalizing: by rules, with a model's advice beside it.",
  origin: "remote",
  pool: "advisor",
  isResult: true,
  inputs: { baseline: one(baseline, "what the set is like") },
  params,
  outputs: {
    recommendation: one(recommendation, "the rules' policy, its reasons, and the advice"),
    policy: one(policy, "the settings that are applied"),
  },
  async run(inputs, params, context) {
    const measured = await inputs.baseline.read();
    const { policy: rules, reasons } = policyByRules(measured);
    const subject = { baseline: measured, rules, reasons };
    const advice = params.advisor === "none" || measured.images === 0
      ? noAdvice
      : await advise(() => recorded(connect(params, context), params, context), subject, {
        advisor: params.advisor,
        signal: context.signal,
      });
    const effect = predictEffect(measured, rules);
    const advised = params.accept === "advisor" ? advice.policy : null;
    const accepted = advised === null ? "rules" : "advisor";
    warnOf(advice, params, context);
    context.summarize(
      advised === null || advice.effect === null
        ? summaryOf("rules", rules, effect)
        : summaryOf("advisor", advised, advice.effect),
    );
    const made: Recommendation = { rules, reasons: [...reasons], effect, advice, accepted };
    return produced({ recommendation: made, policy: advised ?? rules }, {
      isProvisional: advice.status === "failed",
    });
  },
});

function connect({ advisor, model, base_url, timeout_s }: Params, context: StepContext) {
  const provider = advisor as AdvisorSettings["provider"];
  return context.service(advisors)({ provider, model, base_url, timeout_s });
}

/** The advisor, whose answers are recorded as calls of a remote model. */
function recorded(asked: Advisor, params: Params, context: StepContext): Advisor {
  return {
    async ask(question) {
      const answer = await asked.ask(question);
      const { model, inputTokens, outputTokens } = answer;
      context.remoteCalled({ provider: params.advisor, model, inputTokens, outputTokens });
      return answer;
    },
  };
}

function warnOf(advice: Advice, { advisor, accept }: Params, context: StepContext): void {
  if (advice.problem !== null) context.warn(`${advice.problem}; the rules' policy stands`);
  else if (accept === "advisor" && advisor === "none") {
    context.warn('"accept" is "advisor" and nobody is asked, so the rules\' policy stands');
  }
}

function summaryOf(whose: "rules" | "advisor", policy: Policy, effect: Effect): string {
  const { images, changed, left_out } = effect;
  const effects = [
    `changes ${changed.toLocaleString("en")} of ${images.toLocaleString("en")} images`,
    ...left_out === 0 ? [] : [`leaves out ${left_out.toLocaleString("en")}`],
  ];
  return `Policy by ${whose === "rules" ? "rules" : "the advisor"}: ${
    policyWords(policy).join(", ")
  }; ${effects.join(", ")}`;
}

/** A policy in plain words, one part for each setting that does something. */
export function policyWords(policy: Policy): readonly string[] {
  const { long_side_px, short_side_px, format, quality, colour, alpha, background } = policy;
  const { short_side_below_px, sharpness_below, clipped_above } = policy.leave_out;
  const words = [
    long_side_px !== null && `long side at most ${long_side_px} px`,
    short_side_px !== null && `short side at most ${short_side_px} px`,
    long_side_px === null && short_side_px === null && "any size",
    `quality at most ${quality}`,
    format === "keep"
      ? "formats kept"
      : `all as ${format === "webp" ? "WebP" : format.toUpperCase()}`,
    colour !== "keep" && (colour === "rgb" ? "all in RGB" : "all in grey"),
    alpha === "flatten" && `transparency put on ${background}`,
    short_side_below_px !== null && `without short sides below ${short_side_below_px} px`,
    sharpness_below !== null && `without sharpness below ${sharpness_below}`,
    clipped_above !== null &&
    `without more than ${Math.round(clipped_above * 1000) / 10} % clipped pixels`,
  ];
  return words.filter((each) => each !== false);
}
