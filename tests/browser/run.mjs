// Stories of people in a real browser, told against `portico demo`.
//
//   node tests/browser/run.mjs [WORDS]   only the stories whose sentence has these words
//
// PORTICO   the program; target/debug/portico if unset
// CHROMIUM  the browser; `chromium` in the PATH if unset
// SHOTS     a folder: every page is also photographed into it
//
// The last line is "N passed, N failed".

import { appearances } from './stories/appearances.mjs';
import { circles } from './stories/circles.mjs';
import { detours } from './stories/detours.mjs';
import { postedAnswers } from './stories/posted_answers.mjs';
import { refusals } from './stories/refusals.mjs';
import { sampleApplication } from './stories/sample_application.mjs';
import { signIns } from './stories/sign_in.mjs';
import { tabs } from './stories/tabs.mjs';
import { Browser } from './support/browser.mjs';
import { Demo } from './support/demo.mjs';

const LIMIT_OF_ALL = 20 * 60_000;
const LIMIT_OF_ONE = 150_000;
const AT_A_TIME = 3;

const STORIES = Object.entries({
  ...signIns,
  ...refusals,
  ...postedAnswers,
  ...detours,
  ...tabs,
  ...circles,
  ...sampleApplication,
  ...appearances,
});

const words = process.argv.slice(2).join(' ');
const count = { passed: 0, failed: 0 };
let demo;
let browser;

setTimeout(() => end(new Error('all stories together took too long')), LIMIT_OF_ALL);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(new Error(signal)));

try {
  demo = await Demo.start();
  browser = await Browser.launch(demo);
  const untold = STORIES.filter(([sentence]) => sentence.includes(words));
  await Promise.all(Array.from({ length: AT_A_TIME }, () => tellAll(untold)));
  const sentence = 'no page logged an error, broke its own policy or asked a third origin';
  report(sentence, browser.complaint());
  await end();
} catch (error) {
  await end(error);
}

async function tellAll(untold) {
  while (untold.length > 0) {
    const [sentence, story] = untold.shift();
    const began = Date.now();
    const problem = await tell(story);
    report(`${sentence} (${((Date.now() - began) / 1000).toFixed(1)} s)`, problem);
  }
}

/** What went wrong in a story, if something did. */
async function tell(story) {
  const visits = browser.visits();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('the story took too long')), LIMIT_OF_ONE);
  });
  try {
    await Promise.race([story(visits, demo), late]);
    return undefined;
  } catch (error) {
    return `${error.stack}\nat last: ${visits.places().join(', ')}`;
  } finally {
    clearTimeout(timer);
    await visits.close();
  }
}

function report(sentence, problem) {
  count[problem ? 'failed' : 'passed'] += 1;
  console.log(`${problem ? 'FAILED' : 'ok'}\t${sentence}`);
  if (problem) console.log(problem.replace(/^/gm, '\t'));
}

async function end(error) {
  if (error) report('the stories are told to their end', error.stack);
  if (count.failed > 0 && demo) console.log(demo.log);
  await browser?.close();
  await demo?.stop();
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exit(count.failed === 0 && count.passed > 0 ? 0 : 1);
}
