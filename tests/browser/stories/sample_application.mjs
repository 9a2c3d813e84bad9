import assert from 'node:assert/strict';

export const sampleApplication = {
  async 'a protected page sends to sign-in and, after it, back to the very page'(visits, demo) {
    const uli = await visits.visitor();

    await uli.open(`${demo.sample}/reports?month=2026-05&order=name%20up`);
    await uli.sees('Sign in');
    await uli.follow('Sign in to Acme Works');
    await uli.pass('uli@acme.example');
    await uli.sees('Monthly reports');

    assert.equal(uli.place(demo.sample), '/reports?month=2026-05&order=name%20up');
  },

  async 'a typed e-mail comes back to the protected page, too'(visits, demo) {
    const uli = await visits.visitor();

    await uli.open(`${demo.sample}/reports`);
    await uli.type('Work e-mail', 'uli@acme.example');
    await uli.press('Continue');
    await uli.password('uli@acme.example');
    await uli.sees('Monthly reports');

    assert.equal(uli.place(demo.sample), '/reports');
  },

  async 'a protected page lets in by role and learns who comes'(visits) {
    const ada = await visits.visitor();
    await ada.signIn('ada@acme.example');
    await ada.sees('Welcome, Ada Admin');

    await ada.follow('Administration of the sample application (needs Admin)');
    await ada.sees('Administration');

    assert.equal(await ada.row('x-portico-name'), 'Ada Admin');
    assert.equal(await ada.row('x-portico-email'), 'ada@acme.example');
    assert.equal(await ada.row('x-portico-organization'), 'acme');
    assert.equal(await ada.row('x-portico-role'), 'Admin');
    await ada.follow('Back to the portal');
    await ada.sees('Welcome, Ada Admin');
  },

  async 'a protected page refuses a role that is too low, and names both'(visits) {
    const rea = await visits.visitor();
    await rea.signIn('rea@globex.example');
    await rea.sees('Welcome, Rea Reader');

    const [answer] = await Promise.all([
      rea.page.waitForResponse((response) => response.url().endsWith('/reports')),
      rea.follow('Monthly reports of the sample application (needs User)'),
    ]);
    await rea.sees('You may not see this page');

    assert.equal(answer.status(), 403);
    const named = await rea.page.locator('.lead strong').allInnerTexts();
    assert.deepEqual(named, ['User', 'ReadOnly']);
  },

  async 'a script without a session is answered 401 in JSON, not sent to a page'(visits, demo) {
    // The sample page's own policy allows no fetch(); a single-page application's would.
    const uli = await visits.visitor({ bypassCSP: true });
    await uli.signIn('uli@acme.example');
    await uli.sees('Welcome, Uli User');
    await uli.open(`${demo.sample}/reports`);
    const ask = async () => {
      const answer = await fetch('/reports', { redirect: 'manual' });
      const isJson = answer.headers.get('content-type') === 'application/json';
      return [answer.status, isJson ? (await answer.json()).error : undefined];
    };

    const [signedIn] = await uli.page.evaluate(ask);
    await uli.context.clearCookies();
    const signedOut = await uli.page.evaluate(ask);

    assert.equal(signedIn, 200);
    assert.deepEqual(signedOut, [401, 'not_signed_in']);
  },

  async 'an identity that the browser forges is not what the application sees'(visits, demo) {
    const rea = await visits.visitor({
      extraHTTPHeaders: { 'X-Portico-Role': 'EnterpriseAdmin', 'X-Portico-Organization': 'acme' },
    });
    await rea.signIn('rea@globex.example');
    await rea.sees('Welcome, Rea Reader');

    await rea.open(demo.sample);
    await rea.sees('Home');

    assert.equal(await rea.row('x-portico-role'), 'ReadOnly');
    assert.equal(await rea.row('x-portico-organization'), 'globex');
    await rea.open(`${demo.sample}/administration`);
    await rea.sees('You may not see this page');
  },

  async 'who signs out has left the sample application, too'(visits, demo) {
    const uli = await visits.visitor();
    await uli.signIn('uli@acme.example');
    await uli.sees('Welcome, Uli User');

    await uli.press('Sign out');
    await uli.sees('You are signed out');
    await uli.open(`${demo.sample}/reports`);

    await uli.sees('Sign in');
  },
};
