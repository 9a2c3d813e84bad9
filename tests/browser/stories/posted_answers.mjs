import assert from 'node:assert/strict';

export const postedAnswers = {
  async 'an answer posted from the other site comes in by itself with JavaScript'(visits) {
    const uli = await visits.visitor();
    const posts = [];
    uli.page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/callback')) posts.push(request);
    });

    await goToTenant(uli);
    await uli.pass('uli@acme.example');
    await uli.sees('Welcome, Uli User');

    const sites = await Promise.all(posts.map((post) => post.headerValue('sec-fetch-site')));
    assert.deepEqual(sites, ['cross-site', 'same-origin']);
    assert.equal(uli.place(), '/');
  },

  async 'an answer posted from the other site comes in by a button without JavaScript'(visits) {
    const uli = await visits.visitor({ javaScriptEnabled: false });

    await goToTenant(uli);
    await uli.pass('uli@acme.example');
    await pressOn(uli);

    await uli.sees('Welcome, Uli User');
  },

  async 'an answer posted to a browser that keeps no cookies ends on a page that says so'(visits) {
    const uli = await visits.visitor();

    await goToTenant(uli);
    await uli.context.clearCookies({ name: /^portico-login/ });
    await uli.pass('uli@acme.example');

    await uli.sees('Your browser didn’t bring our cookie back');
  },
};

/** Presses the buttons that scripts would press, where there are none. */
export async function pressOn(visitor) {
  if (visitor.hasJavaScript) return;
  await visitor.sees('Signing in');
  await visitor.press('Continue');
  await visitor.sees('Finishing your sign-in');
  await visitor.press('Continue');
}

/** To the tenant as from an address of Portico, but the answer shall come as a form. */
export async function goToTenant(visitor, path = '/login/acme') {
  const authorize = await visitor.begin(path);
  authorize.searchParams.set('response_mode', 'form_post');
  await visitor.open(authorize.href);
}
