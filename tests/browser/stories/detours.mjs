import assert from 'node:assert/strict';

export const detours = {
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
    await uli.page.locator('.brand').click();

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
};
