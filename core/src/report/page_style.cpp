#include "report/page_style.hpp"

namespace patchioner {

const std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #f6f5f2; --card: #ffffff; --ink: #1d1d21; --faint: #6d6d76; --line: #e3e1dc; --accent: #2f6fed; --alarm: #b3261e; --rise: #1a7f4b; --soft: #f0efeb;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #121215; --card: #1b1b20; --ink: #ececf0; --faint: #9a9aa6; --line: #2c2c34; --accent: #7fa8ff; --alarm: #ff8a80; --rise: #6fd39b; --soft: #25252c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header.top { max-width: 1180px; margin: 0 auto; padding: 2.6rem 1.5rem 1.2rem; }
h1 { margin: 0 0 .3rem; font-size: 1.75rem; letter-spacing: -.02em; line-height: 1.2; }
.summary { margin: 0; color: var(--faint); white-space: pre-wrap; }
.bar { display: flex; flex-wrap: wrap; gap: .8rem; align-items: center; justify-content: space-between; margin-top: 1.1rem; }
.chain { display: flex; flex-wrap: wrap; gap: .35rem; margin: 0; padding: 0; list-style: none; font-size: .85rem; }
.chain li { padding: .18rem .7rem; border: 1px solid var(--line); border-radius: 99px; background: var(--card); }
.chain li + li::before { content: "\2192"; margin-right: .5rem; color: var(--faint); }
.tools { display: none; gap: .6rem; align-items: center; }
.scripted .tools { display: flex; }
.tools input, .tools button { font: inherit; font-size: .9rem; padding: .35rem .8rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: inherit; }
.tools button { cursor: pointer; }
main { max-width: 1180px; margin: 0 auto; padding: 0 1.5rem 4rem; display: grid; gap: 1.5rem; }
.card { display: grid; grid-template-columns: minmax(0, 11fr) minmax(0, 9fr); background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow: hidden; content-visibility: auto; contain-intrinsic-size: auto 480px; }
@media (max-width: 820px) { .card { grid-template-columns: minmax(0, 1fr); } }
.view { background: var(--soft); display: flex; align-items: flex-start; justify-content: center; padding: 1rem; }
.stage { display: block; width: 100%; max-height: 78vh; border-radius: 8px; }
@media (min-width: 821px) { .view > .stage { position: sticky; top: 1rem; } }
.shape path, .shape .dot { fill: none; stroke: var(--c); stroke-width: 2.5px; vector-effect: non-scaling-stroke; stroke-linejoin: round; stroke-linecap: round; }
.shape path.halo { stroke: rgb(0 0 0 / .55); stroke-width: 4.5px; }
.shape .dot { fill: var(--c); stroke: rgb(0 0 0 / .6); stroke-width: 1.5px; }
.number circle { fill: var(--c); stroke: #fff; stroke-width: 1.5px; vector-effect: non-scaling-stroke; }
.number text { fill: #141418; text-anchor: middle; dominant-baseline: central; font-weight: 650; font-family: inherit; }
.shape { transition: opacity .15s; cursor: pointer; }
.heat { opacity: 0; transition: opacity .15s; pointer-events: none; }
.active .shape { opacity: .18; }
.active .shape.on, .heat.on { opacity: 1; }
.said { padding: 1.1rem 1.3rem 1.3rem; min-width: 0; }
.said h2 { margin: 0; font-size: .95rem; font-weight: 600; overflow-wrap: anywhere; }
.size { margin: 0 0 .6rem; font-size: .82rem; color: var(--faint); }
.regions { list-style: none; margin: 0; padding: 0; }
.regions > li { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: .1rem .8rem; padding: .7rem .6rem; margin: 0 -.6rem; border-top: 1px solid var(--line); }
.regions > li:first-child { border-top: 0; }
.regions > li.on { background: var(--soft); border-radius: 8px; }
.badge { width: 1.6rem; height: 1.6rem; border-radius: 50%; background: var(--c); color: #141418; font-size: .8rem; font-weight: 650; display: grid; place-items: center; margin-top: .1rem; }
.caption { margin: 0; font-size: 1.12rem; line-height: 1.35; font-weight: 500; overflow-wrap: anywhere; }
.meta { margin: .1rem 0 0; font-size: .82rem; color: var(--faint); overflow-wrap: anywhere; }
.score { font-variant-numeric: tabular-nums; }
.thumb { grid-column: 3; grid-row: 1 / span 2; height: 64px; width: auto; max-width: 110px; border-radius: 6px; display: block; }
.error, .warning { margin: .15rem 0 0; font-size: .88rem; overflow-wrap: anywhere; }
.error { color: var(--alarm); }
.warning { color: var(--faint); }
.warning::before { content: "\26A0\00A0"; }
details { grid-column: 2; margin-top: .35rem; font-size: .86rem; }
summary { cursor: pointer; color: var(--accent); width: max-content; }
.why { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem .7rem; margin: .4rem 0 .2rem; padding: 0; list-style: none; }
.why li { display: contents; }
.share { font-variant-numeric: tabular-nums; text-align: right; color: var(--faint); }
.memory { position: relative; padding: 0 .4rem; overflow-wrap: anywhere; border-radius: 4px; background: linear-gradient(to right, color-mix(in srgb, var(--accent) 22%, transparent) var(--w), transparent var(--w)); }
.kind { margin: .5rem 0 0; color: var(--faint); }
.prompt { margin: .5rem 0 0; font-style: italic; }
.unused { color: var(--faint); text-decoration: line-through; text-decoration-color: var(--line); }
.compared { grid-column: 2 / span 2; margin-top: .3rem; display: grid; grid-template-columns: fit-content(11rem) minmax(0, 1fr) max-content; gap: 0 .8rem; }
.compared > .references { grid-column: 1 / -1; }
.answer { display: grid; grid-column: 1 / -1; grid-template-columns: 4.6rem minmax(0, 1fr) max-content; grid-template-columns: subgrid; align-items: baseline; padding: .3rem 0; border-top: 1px dotted var(--line); }
.answer .from { margin: 0; font-size: .82rem; color: var(--faint); overflow-wrap: anywhere; }
.answer .caption { font-size: 1rem; }
.answer .meta { margin: 0; }
.answer > .references, .answer > .measures, .answer > .warning, .answer > details { grid-column: 2 / span 2; }
@media (max-width: 520px) { .answer { grid-template-columns: minmax(0, 1fr); } .answer > * { grid-column: 1 !important; } }
.references { margin: .3rem 0 0; padding: 0 0 0 .8rem; border-left: 2px solid var(--line); list-style: none; font-size: .9rem; color: var(--faint); }
.measures { display: flex; flex-wrap: wrap; gap: .1rem .9rem; margin: .35rem 0 0; padding: 0; list-style: none; font-size: .82rem; color: var(--faint); font-variant-numeric: tabular-nums; }
.measures b { font-weight: 600; color: var(--ink); }
.top .measures { width: 100%; font-size: .95rem; }
.section h2 { margin: 1rem 0 0; font-size: 1.25rem; letter-spacing: -.01em; }
.section p { margin: 0; color: var(--faint); }
.block { min-width: 0; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 14px; background: var(--card); }
.numbers { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
.numbers th, .numbers td { padding: .38rem .8rem; text-align: right; vertical-align: top; white-space: nowrap; font-weight: 400; }
.numbers thead th { color: var(--faint); font-size: .82rem; vertical-align: bottom; }
.numbers thead th.group { text-align: center; color: var(--ink); font-weight: 600; box-shadow: inset 0 -1px var(--line); }
.numbers tbody td, .numbers tbody th { border-top: 1px solid var(--line); }
.numbers tbody tr.group th { font-weight: 600; color: var(--faint); font-size: .82rem; padding-bottom: .1rem; }
.numbers tbody tr.group + tr > * { border-top: 0; }
.numbers th.text, .numbers td.text, .numbers tbody th, .numbers thead th:first-child { text-align: left; }
.numbers td.text { white-space: normal; overflow-wrap: break-word; max-width: 24rem; }
.numbers .first { position: sticky; left: 0; background: var(--card); min-width: 7rem; max-width: 18rem; white-space: normal; overflow-wrap: break-word; }
.numbers tbody th { font-weight: 500; }
.numbers small { display: block; font-size: .76rem; font-weight: 400; color: var(--faint); }
.numbers .best { font-weight: 700; }
.numbers .absent { color: var(--faint); }
.numbers .failed, .numbers small.outside { color: var(--alarm); }
.rise, .fall { margin-left: .25rem; font-size: .7em; vertical-align: .15em; color: var(--rise); }
.fall { color: var(--alarm); }
.note { margin: .5rem 0 0; font-size: .86rem; color: var(--faint); }
.note + .note, .failures + .note { margin-top: .15rem; }
.failures { margin: .6rem 0 0; padding: .7rem .9rem .7rem 2rem; border: 1px solid var(--alarm); border-radius: 10px; font-size: .88rem; color: var(--alarm); overflow-wrap: anywhere; }
.failures small { color: var(--faint); }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.plots figure { margin: 0; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: 14px; background: var(--card); max-width: 100%; }
.plot { display: block; max-width: 100%; height: auto; font-size: 12px; }
.plot text { fill: var(--ink); font-family: inherit; }
.plot .name { paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
.plot .title { font-size: 13.5px; font-weight: 600; }
.plot .tick { fill: var(--faint); }
.plot .grid { stroke: var(--line); }
.plot .axis { stroke: var(--faint); }
.plot .dot { fill: var(--accent); fill-opacity: .75; stroke: var(--card); }
.plot .beaten { fill: var(--card); stroke: var(--accent); stroke-width: 1.5px; }
.plot .mean { stroke: var(--ink); stroke-width: 2.5px; stroke-linecap: round; }
.plot .front { fill: none; stroke: var(--accent); stroke-width: 1.5px; stroke-dasharray: 4 3; }
.plot .leader { stroke: var(--faint); stroke-width: .7px; }
.tokens { margin: .5rem 0 0; line-height: 1.9; }
.tokens span { padding: .1rem .25rem; border-radius: 4px; background: color-mix(in srgb, var(--accent) var(--p), transparent); }
.hidden { display: none; }
footer { max-width: 1180px; margin: 0 auto; padding: 0 1.5rem 3rem; font-size: .82rem; color: var(--faint); }
@media print { .card { break-inside: avoid; } .tools { display: none !important; } }
)css";

const std::string_view kPageScript = R"js(
document.documentElement.classList.add('scripted');
const pinned = new Map();
const show = (card, region) => {
  card.classList.toggle('active', region !== null);
  for (const part of card.querySelectorAll('[data-region]')) part.classList.toggle('on', part.dataset.region === region);
};
const find = (event) => [event.target.closest('.card'), event.target.closest('[data-region]')];
document.addEventListener('pointerover', (event) => {
  const [card, part] = find(event);
  if (card) show(card, part ? part.dataset.region : pinned.get(card) ?? null);
});
document.addEventListener('pointerout', (event) => {
  const card = event.target.closest('.card');
  if (card && !card.contains(event.relatedTarget)) show(card, pinned.get(card) ?? null);
});
document.addEventListener('click', (event) => {
  const [card, part] = find(event);
  if (!part || event.target.closest('summary')) return;
  pinned.set(card, pinned.get(card) === part.dataset.region ? null : part.dataset.region);
  show(card, pinned.get(card));
});
document.getElementById('filter').addEventListener('input', (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const card of document.querySelectorAll('.card'))
    card.classList.toggle('hidden', !card.querySelector('.said').textContent.toLowerCase().includes(wanted));
});
const all = document.getElementById('details');
if (!document.querySelector('details')) all.remove();
all.addEventListener('click', () => {
  const open = !document.querySelector('details[open]');
  for (const one of document.querySelectorAll('details')) one.open = open;
});
)js";

}  // namespace patchioner
