import assert from 'node:assert/strict';

import { withAndWithoutJavaScript } from '../support/browser.mjs';

export const detours = withAndWithoutJavaScript({
  async 'going back to the tenant after signing in ends on a page with a way on'(visits) {
    const uli = await visits.visitor();
    await uli.open('/');
    await uli.follow('Sign in to Acme Works');
    await uli.pass('uli@acme.example');
    await uli.sees('Welcome, Uli User');

    await uli.page.evaluate(() => history.go(-2));
    await uli.sees('This sign-in is no longer open');
    await uli.follow('Try again');

    await uli.sees('Welcome, Uli User');
  },

  async 'a bookmarked callback ends on a page with a way on'(visits) {
    const uli = await visits.visitor();
    const [callback] = await Promise.all([
      uli.page.waitForRequest((request) => request.url().includes('/callback?')),
      uli.signIn('uli@acme.example'),
    ]);
    await uli.sees('Welcome, Uli User');

    const answer = await uli.open(callback.url());
    await uli.sees('This sign-in is no longer open');
    assert.equal(answer.status(), 400);
    await uli.follow('Go on, you are still signed in');

    await uli.sees('Welcome, Uli User');
  },

  async 'a bookmarked callback leads who is not signed in to a new sign-in'(visits) {
    const uli = await visits.visitor();
    const [callback] = await Promise.all([
      uli.page.waitForRequest((request) => request.url().includes('/callback?')),
      uli.signIn('uli@acme.example'),
    ]);
    await uli.sees('Welcome, Uli User');
    const tomorrow = await visits.visitor();

    await tomorrow.open(callback.url());
    await tomorrow.sees('This sign-in is no longer open');
    await tomorrow.follow('Try again');
    await tomorrow.pass('uli@acme.example');

    await tomorrow.sees('Welcome, Uli User');
  },

  async 'going back before signing in leads to the page before, and on again'(visits) {
    const uli = await visits.visitor();
    await uli.open('/login');
    await uli.follow('Sign in to Acme Works');
    await uli.sees('Pick an account');

    await uli.goBack();
    await uli.sees('Sign in');
    await uli.follow('Sign in to Acme Works');
    await uli.pass('uli@acme.example');

    await uli.sees('Welcome, Uli User');
  },

  async 'going back from a refusal to the tenant ends on a page with a way on'(visits) {
    const dora = await visits.visitor();
    await dora.open('/login/acme');
    await dora.pass('dora@acme.example');
    await dora.sees('Your account is switched off');

    await dora.page.evaluate(() => history.go(-2));
    await dora.sees('This sign-in is no longer open');
    await dora.follow('Try again');
    await dora.sees('Your account is switched off');
    await dora.follow('Sign in with another account');
    await dora.pass('uli@acme.example');

    await dora.sees('Welcome, Uli User');
  },

  async 'a refusal that is loaded again is over, and leads on'(visits) {
    const dora = await visits.visitor();
    await dora.signIn('dora@acme.example');
    await dora.sees('Your account is switched off');

    await dora.page.reload();
    await dora.sees('This sign-in is no longer open');
    await dora.follow('Try again');

    await dora.sees('Your account is switched off');
  },

  async 'a sign-in that lay too long at the tenant ends on a page with a way on'(visits) {
    const uli = await visits.visitor();
    await uli.open('/login/acme');
    await uli.sees('Pick an account');
    // As after ten minutes: of more than sixty-four, the oldest is over.
    for (let others = 0; others < 64; others += 1) await uli.begin('/login/acme');

    await uli.pass('uli@acme.example');
    await uli.sees('This sign-in is no longer open');
    await uli.follow('Try again');

    await uli.sees('Welcome, Uli User');
  },

  async 'a callback that was sent to somebody else signs nobody in'(visits) {
    const uli = await visits.visitor();
    const [callback] = await Promise.all([
      uli.page.waitForRequest((request) => request.url().includes('/callback?')),
      uli.page.route('**/callback?*', (route) => route.abort()).then(() => {
        return uli.signIn('uli@acme.example');
      }),
    ]);
    const victim = await visits.visitor();

    const answer = await victim.open(callback.url());
    await victim.open('/');

    assert.equal(answer.status(), 400);
    await victim.sees('Sign in');
  },

  async 'a link on another site does not sign anybody out, it asks'(visits) {
    const uli = await visits.visitor();
    await uli.signIn('uli@acme.example');
    await uli.sees('Welcome, Uli User');

    await uli.open('/login/acme?prompt=select_account');
    await uli.leaveFor('/logout');
    await uli.sees('Sign out?');
    await uli.follow('Stay signed in');

    await uli.sees('Welcome, Uli User');
  },

  async 'an address of nothing is answered by a page that leads on'(visits) {
    const somebody = await visits.visitor();

    const answer = await somebody.open('/no/such/page');
    await somebody.sees('There is nothing here');
    await somebody.follow('Go to the start page');

    await somebody.sees('Sign in');
    assert.equal(answer.status(), 404);
  },
});
