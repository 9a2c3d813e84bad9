import assert from 'node:assert/strict';

import { withAndWithoutJavaScript } from '../support/browser.mjs';
import { goToTenant } from './posted_answers.mjs';

const TABS = Array.from({ length: 30 }, (_, number) => number);

export const tabs = {
  ...withAndWithoutJavaScript({
    async 'two organizations in two tabs: each sign-in ends, and the last one counts'(visits) {
      const uli = await visits.visitor();
      const udo = await uli.tab();
      await uli.open('/login/acme');
      await udo.open('/login/globex');

      await uli.pass('uli@acme.example');
      await uli.sees('Welcome, Uli User');
      await udo.pass('udo@globex.example');
      await udo.sees('Welcome, Udo User');
      await uli.open('/');

      assert.equal(await uli.value('Organization'), 'Globex Lodging');
    },

    async 'signing out in one tab leaves the sign-in of another tab alone'(visits) {
      const uli = await visits.visitor();
      await uli.signIn('uli@acme.example');
      await uli.sees('Welcome, Uli User');
      const ada = await uli.tab();
      await ada.open('/login/acme?prompt=select_account');
      await ada.sees('Pick an account');

      await uli.press('Sign out');
      await uli.sees('You are signed out');
      await ada.pass('ada@acme.example');

      await ada.sees('Welcome, Ada Admin');
    },

    async 'who presses twice is signed in once'(visits) {
      const uli = await visits.visitor();
      await uli.open('/login');

      await uli.page.getByRole('link', { name: 'Sign in to Acme Works' }).dblclick();
      await uli.sees('Pick an account');
      await uli.page.locator('button[value="uli@acme.example"]').dblclick();
      await uli.sees('Enter password');
      await uli.type('Password', uli.demo.person('uli@acme.example').password);
      await uli.page.getByRole('button', { name: 'Sign in' }).dblclick();

      await uli.sees('Welcome, Uli User');
    },
  }),

  async 'thirty tabs at once, in a browser without a cookie, each end at their own page'(visits) {
    await endAtTheirOwnPages(visits, (tab, path) => tab.open(path));
  },

  async 'thirty tabs whose answers are posted each end at their own page'(visits) {
    await endAtTheirOwnPages(visits, goToTenant);
  },

  async 'thirty tabs of one and the same page at once are no circle'(visits, demo) {
    const uli = await isKnownAtTheTenant(visits);

    const open = await Promise.all(TABS.map(() => uli.tab()));
    await Promise.all(open.map((tab) => tab.open(signInFor(`${demo.sample}/reports`))));

    const heading = (tab) => tab.page.getByRole('heading', { level: 1 }).innerText();
    const headings = await Promise.all(open.map(heading));
    assert.deepEqual(new Set(headings), new Set(['Monthly reports']));
  },

  async 'a thousand sign-ins that nobody finished leave one small cookie and room for one more'(
    visits,
  ) {
    const uli = await visits.visitor();
    await uli.begin('/login/acme');
    for (let begun = 1; begun < 1_000; begun += 20) {
      await Promise.all(Array.from({ length: 20 }, () => uli.begin('/login/acme')));
    }

    const cookies = await uli.cookies('portico');
    await uli.signIn('uli@acme.example');
    await uli.sees('Welcome, Uli User');

    const size = cookies.map(({ name, value }) => `${name}=${value}`).join('; ').length;
    assert.ok(cookies.length === 1 && size < 100, `${cookies.length} cookies of ${size} bytes`);
    assert.equal(await uli.page.evaluate(() => document.cookie), '');
  },
};

/** Somebody whom the tenant lets pass without a question, in a browser that forgot Portico. */
async function isKnownAtTheTenant(visits) {
  const uli = await visits.visitor();
  await uli.signIn('uli@acme.example');
  await uli.sees('Welcome, Uli User');
  await uli.context.clearCookies({ domain: 'localhost' });
  uli.context.setDefaultTimeout(90_000);
  return uli;
}

function signInFor(place) {
  return `/login/acme?${new URLSearchParams({ return_to: place })}`;
}

async function endAtTheirOwnPages(visits, go) {
  const uli = await isKnownAtTheTenant(visits);
  const { sample } = uli.demo;

  const open = await Promise.all(TABS.map(() => uli.tab()));
  await Promise.all(open.map((tab, number) => go(tab, signInFor(`${sample}/reports?tab=${number}`))));

  for (const [number, tab] of open.entries()) {
    await tab.sees('Monthly reports');
    assert.equal(tab.place(sample), `/reports?tab=${number}`);
  }
}
