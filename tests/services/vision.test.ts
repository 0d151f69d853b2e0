import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type VisionAnswer,
  VisionProblem,
  type VisionSettings,
} from "../../src/services/vision.ts";
import { canaryKey } from "../baseline/example.ts";
import { deadOrigin, halfJson, models, ModelServer, never, page } from "./model_server.ts";
import { TimeLimit } from "./time_limit.ts";
import {
  HurriedClock,
  pictureBytes,
  pictureQuestion,
  protocols,
  type ProviderProtocol,
  questionsAt,
  remoteVision,
  serverOf,
  settingsOf,
} from "./vision_rig.ts";

interface Asked {
  readonly clock: HurriedClock;
  /** What was waited for, in ms, without the pace's own waits. */
  readonly waits: readonly number[];
}

/** Asks once, on a clock that hurries. */
async function ask(
  protocol: ProviderProtocol,
  server: ModelServer | string,
  settings: Partial<VisionSettings> = {},
): Promise<Asked & { readonly answer: VisionAnswer }> {
  const clock = new HurriedClock();
  const origin = typeof server === "string" ? server : server.origin;
  const model = await remoteVision({ clock }).connect(settingsOf(protocol, origin, settings));
  const answer = await model.ask(pictureQuestion());
  return { answer, clock, waits: clock.waits };
}

async function problemOf(
  protocol: ProviderProtocol,
  server: ModelServer | string,
  settings: Partial<VisionSettings> = {},
): Promise<VisionProblem> {
  const error = await ask(protocol, server, settings).then(
    () => assert.fail("it answered"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof VisionProblem, Deno.inspect(error));
  assert.ok(!Deno.inspect(error, { depth: 20 }).includes(canaryKey), error.message);
  assert.match(error.message, /^Cannot ask [^\n]+[^.\n]$/);
  return error;
}

const good = '{"viewpoint":"wide view"}';

for (const protocol of protocols) {
  const { provider } = protocol;
  // No connection and no timer outlives a question.
  const strict = { sanitizeOps: true, sanitizeResources: true };
  const test = (fact: string, fn: () => Promise<void>) =>
    Deno.test({ name: `${provider}: ${fact}`, fn, ...strict });

  test("the picture's bytes go out beside the question, and answer and tokens come back", async () => {
    await using server = serverOf(protocol, () => protocol.answer(good));
    const { answer } = await ask(protocol, server);
    assert.equal(answer.text, good);
    assert.ok(answer.inputTokens! > 400 && answer.outputTokens! > 30);
    const { body } = questionsAt(server)[0]!;
    assert.ok(JSON.stringify(body).includes(pictureBytes.toBase64()));
    assert.ok(JSON.stringify(body).includes("What is there?"));
    assert.ok(!JSON.stringify(body).includes(canaryKey));
  });

  test("after 429 everybody waits as long as the server says, and the answer comes", async () => {
    await using server = serverOf(
      protocol,
      (call) => call === 1 ? protocol.tooMuch(38) : protocol.answer(good),
    );
    const { waits } = await ask(protocol, server);
    assert.equal(questionsAt(server).length, 2);
    const waited = waits.reduce((sum, ms) => sum + ms, 0);
    assert.ok(waited > 37_000 && waited <= 38_000, `${waits}`);
  });

  test("after 429 without a wait it waits longer each time, and gives up for everybody in the end", async () => {
    await using server = serverOf(protocol, () => protocol.tooMuch());
    const { problem, isForAll, message } = await problemOf(protocol, server);
    assert.deepEqual([problem, isForAll], ["no-quota", true]);
    assert.match(message, /too much to do/);
    assert.equal(questionsAt(server).length, 9);
  });

  test("a quota of the day that is used up is said at once, for everybody", async () => {
    await using server = serverOf(protocol, protocol.spent);
    const { problem, isForAll, message } = await problemOf(protocol, server);
    assert.deepEqual([problem, isForAll], ["no-quota", true]);
    assert.match(message, /a quota of the day or the account is used up \(HTTP 429; wait until/);
    assert.equal(questionsAt(server).length, 1);
  });

  test("a wrong key is said at once, for everybody", async () => {
    await using server = serverOf(protocol, protocol.wrongKey);
    const { problem, isForAll, message } = await problemOf(protocol, server);
    assert.deepEqual([problem, isForAll], ["wrong-key", true]);
    assert.match(message, /does not accept the key/);
    assert.equal(questionsAt(server).length, 1);
  });

  test("a model that is unknown, or does not see, is said for everybody", async () => {
    for (const answer of [protocol.unknownModel, protocol.blindModel]) {
      await using server = serverOf(protocol, answer);
      const { problem, isForAll } = await problemOf(protocol, server);
      assert.deepEqual([problem, isForAll], ["no-model", true], answer.name);
    }
  });

  test("a refusal and a picture that cannot be taken concern only that picture", async () => {
    await using refusing = serverOf(protocol, protocol.refusal);
    const refused = await problemOf(protocol, refusing);
    assert.deepEqual([refused.problem, refused.isForAll], ["refused", false]);
    assert.equal(questionsAt(refusing).length, 1);
    await using server = serverOf(protocol, protocol.badImage);
    const { problem, isForAll } = await problemOf(protocol, server);
    assert.deepEqual([problem, isForAll], ["rejected-image", false]);
  });

  test("faults and half answers are asked again, and given up after four, for that picture", async () => {
    for (const fault of [protocol.broken, halfJson]) {
      let faults = 3;
      await using server = serverOf(
        protocol,
        () => faults-- > 0 ? fault() : protocol.answer(good),
      );
      const { answer, waits } = await ask(protocol, server);
      assert.equal(answer.text, good);
      assert.deepEqual(waits, [1000, 2000, 4000]);
      faults = 100;
      const { problem, isForAll } = await problemOf(protocol, server);
      assert.deepEqual([problem, isForAll], ["server", false]);
      assert.equal(questionsAt(server).length, 4 + 4);
    }
  });

  test("a fault after many an answer of too much is the first fault", async () => {
    await using server = serverOf(protocol, (call) => {
      if (call === 5) return protocol.broken();
      return call < 7 ? protocol.tooMuch() : protocol.answer(good);
    });
    assert.equal((await ask(protocol, server)).answer.text, good);
    assert.equal(questionsAt(server).length, 7);
  });

  test("a web page is an address that is wrong for everybody", async () => {
    await using server = serverOf(protocol, () => page());
    const { problem, isForAll, message } = await problemOf(protocol, server);
    assert.deepEqual([problem, isForAll], ["settings", true]);
    assert.match(message, /answers with a web page/);
  });

  test("silence is waited for twice, for that picture", async () => {
    using limit = new TimeLimit();
    await using server = serverOf(protocol, () => (limit.pass(), never()));
    const settings = { timeout_s: limit.seconds };
    const { problem, isForAll, message } = await problemOf(protocol, server, settings);
    assert.deepEqual([problem, isForAll], ["late", false]);
    assert.match(message, /no answer came within 3000 s \(raise "timeout_s"/);
    assert.equal(questionsAt(server).length, 2);
    assert.equal(limit.running, 0);
  });

  test("no network is said soon, for everybody", async () => {
    for (const origin of [deadOrigin(), "http://no-such-host.invalid"]) {
      const started = performance.now();
      const { problem, isForAll, message } = await problemOf(protocol, origin);
      assert.deepEqual([problem, isForAll], ["no-network", true]);
      assert.match(message, /nothing answers/);
      assert.ok(performance.now() - started < 5000);
    }
  });

  test("a turn that is long in coming does not count against the time limit", async () => {
    using limit = new TimeLimit();
    await using server = serverOf(protocol, () => protocol.answer(good));
    const clock = new HurriedClock();
    const runningInWaits: number[] = [];
    const vision = remoteVision({
      clock: {
        now: () => clock.now(),
        wait(ms, signal) {
          runningInWaits.push(limit.running);
          return clock.wait(ms, signal);
        },
      },
    });
    const settings = { timeout_s: limit.seconds, min_delay_s: 600 };
    const model = await vision.connect(settingsOf(protocol, server.origin, settings));
    for (let call = 0; call < 2; call++) {
      assert.equal((await model.ask(pictureQuestion())).text, good);
    }
    assert.ok(clock.waits.some((ms) => ms > 500_000), `${clock.waits}`);
    assert.ok(runningInWaits.every((count) => count === 0), `${runningInWaits}`);
  });

  test("a run that is given up ends the wait for a turn at once", async () => {
    await using server = serverOf(protocol, () => protocol.answer(good));
    const slow = { requests_per_minute: provider === "openai_compatible" ? 2 : 1 };
    const model = await remoteVision().connect(settingsOf(protocol, server.origin, slow));
    await model.ask(pictureQuestion());
    const controller = new AbortController();
    const asking = model.ask(pictureQuestion(controller.signal));
    controller.abort();
    await assert.rejects(asking, /the run was given up$/);
    assert.equal(questionsAt(server).length, 1);
  });

  test("the minute goes on after a run has ended", async () => {
    await using server = serverOf(protocol, () => protocol.answer(good));
    const clock = new HurriedClock();
    const vision = remoteVision({ clock });
    const settings = settingsOf(protocol, server.origin, { requests_per_minute: 2 });
    await (await vision.connect(settings)).ask(pictureQuestion());
    await vision.release();
    const again = await vision.connect(settings);
    for (let call = 0; call < 2; call++) await again.ask(pictureQuestion());
    assert.ok(clock.waits.some((ms) => ms > 59_000), `${clock.waits}`);
  });
}

Deno.test("without a key each provider says which variable to set, and asks nobody", async () => {
  for (const protocol of protocols.slice(0, 2)) {
    await using server = serverOf(protocol, () => protocol.answer(good));
    const variables = { AWS_REGION: "eu-north-1" };
    Deno.env.set("AWS_EC2_METADATA_DISABLED", "true");
    try {
      const model = await remoteVision({ env: variables })
        .connect(settingsOf(protocol, server.origin));
      await assert.rejects(model.ask(pictureQuestion()), (error) => {
        assert.ok(error instanceof VisionProblem);
        assert.match(error.message, /there is no key \(set (GEMINI_API_KEY|AWS_ACCESS_KEY_ID)/);
        assert.deepEqual([error.problem, error.isForAll], ["no-key", true]);
        return true;
      });
    } finally {
      Deno.env.delete("AWS_EC2_METADATA_DISABLED");
    }
    assert.equal(server.requests.length, 0);
  }
});

Deno.test("whatever a provider answers, each question ends, and no minute has too many calls", async () => {
  for (const protocol of protocols) {
    const kinds = ["answer", "answer", "tooMuch", "wait", "broken", "refusal", "badImage"] as const;
    const rate = fc.integer({ min: 2, max: 12 });
    const script = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(rate, script, async (requests_per_minute, script) => {
        const clock = new HurriedClock();
        const arrived: number[] = [];
        await using server = serverOf(protocol, (call) => {
          arrived.push(clock.now());
          const kind = script[call % script.length]!;
          if (kind === "answer") return protocol.answer(good);
          return kind === "wait" ? protocol.tooMuch(5) : protocol[kind]();
        });
        const settings = settingsOf(protocol, server.origin, { requests_per_minute });
        const model = await remoteVision({ clock }).connect(settings);
        for (let question = 0; question < 8; question++) {
          const end = await model.ask(pictureQuestion()).catch((error: unknown) => error);
          assert.ok(end instanceof VisionProblem || (end as VisionAnswer).text === good);
        }
        const most = arrived.map((at) =>
          arrived.filter((other) => other >= at && other < at + 60_000).length
        );
        assert.ok(Math.max(...most) <= requests_per_minute, `${most}`);
      }),
      { numRuns: 15 },
    );
  }
});

Deno.test("an overloaded server that asks to wait for an hour is not waited for", async () => {
  const headers = { "retry-after": "3600" };
  for (const protocol of protocols) {
    await using server = serverOf(protocol, () => new Response("", { status: 503, headers }));
    const { problem, isForAll } = await problemOf(protocol, server);
    assert.deepEqual([problem, isForAll], ["server", false]);
    assert.equal(questionsAt(server).length, 1);
  }
});

Deno.test("other time limits do not make another minute", async () => {
  const [gemini] = protocols;
  await using server = serverOf(gemini, () => gemini.answer(good));
  const clock = new HurriedClock();
  const vision = remoteVision({ clock });
  for (const timeout_s of [10, 20]) {
    const settings = settingsOf(gemini, server.origin, { requests_per_minute: 1, timeout_s });
    await (await vision.connect(settings)).ask(pictureQuestion());
  }
  assert.ok(clock.waits.some((ms) => ms > 59_000), `${clock.waits}`);
});

Deno.test("a wait of an hour is a quota that is used up", async () => {
  const [gemini] = protocols;
  await using server = serverOf(gemini, () => gemini.tooMuch(3600));
  const { problem } = await problemOf(gemini, server);
  assert.equal(problem, "no-quota");
  assert.equal(questionsAt(server).length, 1);
});

Deno.test("a provider that takes five a minute, and says no more, is waited for", async () => {
  for (const protocol of protocols) {
    const clock = new HurriedClock();
    const taken: number[] = [];
    await using server = serverOf(protocol, () => {
      const recent = taken.filter((at) => at > clock.now() - 60_000);
      if (recent.length >= 5) return protocol.tooMuch();
      taken.push(clock.now());
      return protocol.answer(good);
    });
    const model = await remoteVision({ clock }).connect(settingsOf(protocol, server.origin));
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => model.ask(pictureQuestion())),
    );
    assert.equal(answers.length, 30);
    assert.equal(taken.length, 30);
  }
});

Deno.test("a local server that fails on schemas is asked plainly from then on", async () => {
  const openai = protocols[2];
  await using server = serverOf(
    openai,
    (_, { body }) => body.response_format === undefined ? openai.answer(good) : openai.broken(),
  );
  const clock = new HurriedClock();
  const model = await remoteVision({ clock }).connect(settingsOf(openai, server.origin));
  for (let call = 0; call < 4; call++) await model.ask(pictureQuestion());
  const formats = questionsAt(server).map(({ body }) => body.response_format?.type ?? "plain");
  assert.deepEqual(formats, [
    ...["json_schema", "plain"],
    ...["json_schema", "plain"],
    ...["plain", "plain"],
  ]);
});

Deno.test("those who ask side by side look for the model once", async () => {
  const openai = protocols[2];
  await using server = serverOf(openai, () => openai.answer(good));
  const model = await remoteVision().connect(settingsOf(openai, server.origin));
  await Promise.all([1, 2, 3, 4].map(() => model.ask(pictureQuestion())));
  assert.equal(server.requests.length, 5);
});

Deno.test("no address of a server is a matter for everybody", async () => {
  const model = await remoteVision().connect(
    { ...settingsOf(protocols[2], ""), base_url: undefined },
  );
  await assert.rejects(model.ask(pictureQuestion()), (error) => {
    assert.ok(error instanceof VisionProblem);
    assert.deepEqual([error.problem, error.isForAll], ["settings", true]);
    return true;
  });
});

Deno.test("whoever shows pictures is told of models that see, and of no other", async () => {
  const openai = protocols[2];
  const unknown = await remoteVision({ env: {} }).connect(
    { ...settingsOf(openai, ""), base_url: undefined },
  );
  await using empty = new ModelServer(() => models());
  const cases: [Promise<unknown>, RegExp][] = [
    [unknown.ask(pictureQuestion()), /\(start a server with a model that sees pictures, such as /],
    [problemOf(openai, deadOrigin()).then((error) => Promise.reject(error)), /that sees pictures/],
    [
      problemOf(openai, empty, { model: undefined }).then((error) => Promise.reject(error)),
      /\(load one that sees pictures, such as "qwen2\.5vl"\)/,
    ],
  ];
  for (const [asked, expected] of cases) {
    await assert.rejects(asked, (error: Error) => {
      assert.match(error.message, expected);
      assert.doesNotMatch(error.message, /phi|foundry/i);
      return true;
    });
  }
});

Deno.test("of the models of a server one that sees is asked, by its name", async () => {
  const openai = protocols[2];
  const seeing = ["qwen2.5vl:3b", "llava:7b", "llama3.2-vision", "gemma3:4b", "Qwen2-VL-2B"];
  for (const name of seeing) {
    await using server = new ModelServer(({ path }) =>
      path.endsWith("/models")
        ? models("nomic-embed-text", "phi-4-mini", "level-7b", name)
        : openai.answer(good)
    );
    await ask(openai, server, { model: undefined });
    assert.equal(questionsAt(server)[0]!.body.model, name);
  }
});

Deno.test("a server that calls it a fault of its own to be shown a picture is asked once", async () => {
  const openai = protocols[2];
  const message = "Failed to process inputs: this model is missing data required for image input";
  await using server = serverOf(
    openai,
    () => Response.json({ error: { message, type: "api_error" } }, { status: 500 }),
  );
  const problem = await problemOf(openai, server);
  assert.deepEqual([problem.problem, problem.isForAll], ["no-model", true]);
  assert.match(problem.message, /\(give a "model" that sees pictures\)$/);
  assert.equal(questionsAt(server).length, 1);
});
