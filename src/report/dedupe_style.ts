/** What the page of a dedupe adds to the look of reports. */
export const dedupeStyle = `
:root { --good: #1b7f4b; --gone: #b3541e; --bad: #b3261e; }
@media screen and (prefers-color-scheme: dark) { :root { --good: #6fcf97; --gone: #f2a66f; --bad: #ff8a80; } }
.groups { list-style: none; margin: 0; padding: 0; }
.group { border-top: 1px solid var(--line); padding: 14px 0 4px; break-inside: avoid; }
.group > h3 { margin: 0 0 8px; display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: baseline; }
.sheet { list-style: none; margin: 0 0 10px; padding: 0; display: grid; gap: 14px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 200px), 1fr)); }
.sheet > li { border: 1px solid var(--line); border-top: 4px solid var(--line); border-radius: 8px;
  padding: 10px; min-width: 0; overflow-wrap: anywhere; }
.sheet .keeper { border-top-color: var(--good); }
.sheet .aside { border-top-color: var(--gone); }
.sheet .aside img { opacity: .75; }
.sheet img { background-size: 100% 100%, 14px 14px; -webkit-print-color-adjust: exact;
  print-color-adjust: exact; }
.sheet figcaption > * { display: block; }
.state { font-weight: 600; color: var(--ink); margin: 6px 0 2px; }
.keeper .state { color: var(--good); }
.aside .state { color: var(--gone); }
.refused .state { color: var(--bad); }
.nothing { display: grid; place-items: center; height: 96px; background: var(--soft);
  border-radius: 4px; color: var(--muted); font-size: .85rem; }
.why { margin-top: 4px; }
.why ul { margin: 0 0 4px; padding-left: 18px; }
.why summary { padding: 2px 0; }
.group > h3 .muted { font-weight: 400; }
@media (max-width: 560px) { .sheet { grid-template-columns: 1fr 1fr; gap: 8px; }
  .sheet > li { padding: 7px; } }
`;
