/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/// <reference lib="dom" />
import type { FailureWords } from "../../runtime/failures.ts";

/** What came to nothing in the last run, by cause: what can be done, and which pictures they are. */
export function FailureGroups({ failures }: { readonly failures: readonly FailureWords[] }) {
  return (
    <>
      {failures.map((words) => (
        <Group
          key={`${words.headline} ${words.wordings[0] ?? words.examples[0]?.reason ?? ""}`}
          words={words}
        />
      ))}
    </>
  );
}

function Group({ words }: { readonly words: FailureWords }) {
  const { headline, wordings, examples, more, consequence, advice } = words;
  return (
    <section class="cause">
      <h3>{headline}</h3>
      {wordings.length > 0 && <ul>{wordings.map((text) => <li key={text}>{text}</li>)}</ul>}
      {consequence !== undefined && <p>{consequence}</p>}
      {advice.map((text) => <p key={text} class="advice">→ {text}</p>)}
      <details>
        <summary>{examples.some(({ item }) => item !== undefined) ? "Which ones" : "Why"}</summary>
        <ul>
          {examples.map(({ item, reason }) => (
            <li key={item ?? reason}>
              {item !== undefined && (
                <>
                  <bdi class="name">{item}</bdi>:{" "}
                </>
              )}
              {reason}
            </li>
          ))}
        </ul>
        {more > 0 && <p>and {more.toLocaleString("en")} more, in the tables of the run</p>}
      </details>
    </section>
  );
}
