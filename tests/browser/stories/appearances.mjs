import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import axe from 'axe-core';

import { goToTenant } from './posted_answers.mjs';

const MOST_BYTES = 60_000;
const WIDTHS = [360, 1280];
const SCHEMES = ['light', 'dark'];
const { SHOTS } = process.env;

/** Every page, by the heading it has: how to get there. */
const PAGES = {
  'Sign in': (visitor) => visitor.open('/login'),
  'Sign in, with an alert': (visitor) => visitor.open('/login?login_hint=somebody@nowhere.example'),
  'Pick an account': (visitor) => visitor.open('/login/acme'),
  'Enter password': (visitor) => visitor.open('/login?login_hint=uli@acme.example'),
  'Permissions requested': async (visitor) => {
    await visitor.open('/login/acme?prompt=consent');
    await visitor.pass('uli@acme.example');
  },
  'Sorry, but we’re having trouble signing you in': async (visitor) => {
    await goToTenant(visitor);
    const authorize = new URL(visitor.page.url());
    authorize.searchParams.set('redirect_uri', 'http://localhost/elsewhere');
    await visitor.open(authorize.href);
  },
  'Finishing your sign-in': async (visitor) => {
    await visitor.context.addInitScript(() => { HTMLFormElement.prototype.submit = () => {}; });
    await goToTenant(visitor);
    await visitor.pass('uli@acme.example');
    await visitor.sees('Signing in');
    await visitor.press('Continue');
  },
  'Welcome, Uli User': (visitor) => visitor.signIn('uli@acme.example'),
  'Your account is switched off': (visitor) => visitor.signIn('dora@acme.example'),
  'Your account is for the mobile app only': (visitor) => visitor.signIn('nona@acme.example'),
  'You don’t have an account here yet': (visitor) => visitor.signIn('nick@acme.example'),
  'The sign-in was cancelled': async (visitor) => {
    await PAGES['Permissions requested'](visitor);
    await visitor.press('Cancel');
  },
  'This sign-in is no longer open': (visitor) => {
    const [connector] = visitor.demo.organizations[0].scim_url.match(/[^/]+$/);
    return visitor.open(`/oidc/${connector}/callback?code=old&state=old`);
  },
  'Your organization’s sign-in said no, with a note for the admin': (visitor) => {
    return isAnswered(visitor, 'access_denied', 'AADSTS50105: Not assigned to a role.');
  },
  'Your organization’s sign-in said no, with a note for the person': (visitor) => {
    return isAnswered(visitor, 'access_denied', 'AADSTS53003: Access has been blocked.');
  },
  'Your organization’s sign-in said no, with a note for the operator': (visitor) => {
    return isAnswered(visitor, 'invalid_request', 'AADSTS501481: The verifier does not match.');
  },
  'Your organization’s sign-in is busy': (visitor) => {
    return isAnswered(visitor, 'server_error', 'AADSTS90033: A transient error has occurred.');
  },
  'You were signed in, but the application doesn’t see it': (visitor) => {
    return isAnswered(visitor, 'server_error', 'AADSTS50196: A client loop was detected.');
  },
  'You have to sign in yourself': (visitor) => visitor.open('/login/acme?prompt=none'),
  'Your browser didn’t bring our cookie back': async (visitor) => {
    const begun = await visitor.begin('/login/acme');
    await visitor.context.clearCookies();
    await visitor.open(answer(begun, { code: 'code' }));
  },
  'We don’t know that organization': (visitor) => visitor.open('/login/nowhere'),
  'There is nothing here': (visitor) => visitor.open('/no/such/page'),
  'You are signed out': (visitor) => visitor.open('/logout/done'),
  'You are signed out, only here': (visitor) => visitor.open('/logout/done?only_here=true'),
  'Sign out?': async (visitor) => {
    await visitor.open('/login/acme');
    await visitor.leaveFor('/logout');
  },
  'Monthly reports': async (visitor) => {
    await visitor.signIn('uli@acme.example');
    await visitor.sees('Welcome, Uli User');
    await visitor.open(`${visitor.demo.sample}/reports`);
  },
  'You may not see this page': async (visitor) => {
    await visitor.signIn('uli@acme.example');
    await visitor.sees('Welcome, Uli User');
    await visitor.open(`${visitor.demo.sample}/administration`);
  },
};

export const appearances = Object.fromEntries(
  Object.entries(PAGES).map(([name, reach]) => [
    `“${name}”: axe-core finds nothing in light or dark, no sideways scrolling, 60 kB at most`,
    (visits) => looksWell(visits, name, reach),
  ]),
);

/** The tenant answers a sign-in at Acme with an error. */
async function isAnswered(visitor, error, words) {
  const ids = 'Trace ID: 0c6b1c0c-5a9b-4d6b-8f3e-1c5f0f3a2b00 '
    + 'Correlation ID: 11111111-2222-3333-4444-555555555555';
  const error_description = `${words} ${ids}`;
  await visitor.open(answer(await visitor.begin('/login/acme'), { error, error_description }));
}

/** Where the tenant sends the browser back to. */
function answer(begun, fields) {
  const callback = new URL(begun.searchParams.get('redirect_uri'));
  const state = begun.searchParams.get('state');
  callback.search = new URLSearchParams({ ...fields, state });
  return callback.href;
}

async function looksWell(visits, name, reach) {
  const visitor = await visits.visitor();
  await reach(visitor);
  await visitor.sees(name.replace(/, (with|only) .*/, ''));
  const { page } = visitor;

  assert.ok(await page.evaluate(bytes) <= MOST_BYTES, `${await page.evaluate(bytes)} bytes`);
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      assert.ok(await page.evaluate(fits), `scrolls sideways at ${width} px`);
      if (SHOTS) await photograph(page, `${name}-${colorScheme}-${width}`);
      assert.deepEqual(await violations(page), [], `in ${colorScheme} at ${width} px`);
    }
  }
}

/** What a page and all that it loads weighs, without headers. */
function bytes() {
  const entries = ['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind));
  return entries.reduce((sum, entry) => sum + entry.decodedBodySize, 0);
}

function fits() {
  const root = document.documentElement;
  return root.scrollWidth <= root.clientWidth;
}

async function violations(page) {
  // The debugger's evaluation is not held to the page's policy, which allows no script.
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe.source);
  const found = await page.evaluate(async () => (await window.axe.run()).violations);
  return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
}

async function photograph(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  const file = name.replace(/[^A-Za-z0-9]+/g, '_');
  await page.screenshot({ path: join(SHOTS, `${file}.png`), fullPage: true });
}
