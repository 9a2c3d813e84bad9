import assert from 'node:assert/strict';

import { withAndWithoutJavaScript } from '../support/browser.mjs';
import { pressOn } from './posted_answers.mjs';

const CIRCLE = 'You were signed in, but the application doesn’t see it';

export const circles = withAndWithoutJavaScript({
  async 'an application that never sees the session sends its browser round twice'(visits) {
    const uli = await visits.visitor();
    const arrivals = await losesItsCookies(uli);

    await uli.open(`${uli.demo.sample}/reports`);
    await uli.pass('uli@acme.example');
    await uli.sees(CIRCLE);

    // Once by hand, twice by itself.
    assert.equal(arrivals.count, 3);
    const reference = await uli.page.locator('.reference code').innerText();
    const line = uli.demo.log.split('\n').find((each) => each.includes(reference));
    assert.match(line, /WARN.*organization=acme.*application="?http:\/\/localhost:\d+"?( |$)/);
    assert.doesNotMatch(line, /reports/);
  },

  async 'who tries again goes round twice more, and from there can sign out'(visits) {
    const uli = await visits.visitor();
    const arrivals = await losesItsCookies(uli);
    await uli.open(`${uli.demo.sample}/reports`);
    await uli.pass('uli@acme.example');
    await uli.sees(CIRCLE);
    const before = await uli.page.locator('.reference code').innerText();

    await uli.follow('Try again');
    await uli.page.locator('.reference code').filter({ hasNotText: before }).waitFor();
    await uli.sees(CIRCLE);
    assert.equal(arrivals.count, 5);
    await uli.follow('Sign out');

    await uli.sees('You are signed out');
  },

  async 'an application that is mended meanwhile is one click away'(visits) {
    const uli = await visits.visitor();
    const arrivals = await losesItsCookies(uli);
    await uli.open(`${uli.demo.sample}/reports`);
    await uli.pass('uli@acme.example');
    await uli.sees(CIRCLE);

    await arrivals.end();
    await uli.follow('Try again');

    await uli.sees('Monthly reports');
  },

  async 'a browser that keeps no cookies ends on a page, each time, and never goes round'(visits) {
    const uli = await visits.visitorWithoutCookies();
    const asked = [];
    uli.page.on('request', (request) => asked.push(request.url()));

    await uli.signIn('uli@acme.example');
    await uli.sees('Your browser didn’t bring our cookie back');
    await uli.follow('Try again');
    await uli.sees('Your browser didn’t bring our cookie back');
    await uli.open('/');

    await uli.sees('Sign in');
    const callbacks = asked.filter((url) => url.includes('/callback?'));
    assert.equal(callbacks.length, 2);
    assert.deepEqual(await uli.cookies('portico'), []);
  },

  async 'a browser that keeps no cookies ends on a page where the answer is posted, too'(visits) {
    const uli = await visits.visitorWithoutCookies();
    const begun = uli.page.waitForRequest((request) => request.url().includes('/authorize?'));
    await uli.open('/login/acme');
    const authorize = new URL((await begun).url());
    authorize.searchParams.set('response_mode', 'form_post');

    await uli.open(authorize.href);
    await uli.pass('uli@acme.example');
    await pressOn(uli);

    await uli.sees('Your browser didn’t bring our cookie back');
  },
});

/**
 * From now on the sample application's proxy loses the browser's cookies, and sends whoever comes
 * straight to Acme's sign-in; how often somebody came.
 */
async function losesItsCookies(visitor) {
  const { portico, sample } = visitor.demo;
  const arrivals = { count: 0 };
  const devtools = await visitor.context.newCDPSession(visitor.page);
  devtools.on('Fetch.requestPaused', ({ requestId, request }) => {
    arrivals.count += 1;
    const location = `${portico}/login/acme?${new URLSearchParams({ return_to: request.url })}`;
    const responseHeaders = [{ name: 'Location', value: location }];
    devtools.send('Fetch.fulfillRequest', { requestId, responseCode: 302, responseHeaders });
  });
  await devtools.send('Fetch.enable', { patterns: [{ urlPattern: `${sample}/reports*` }] });
  arrivals.end = () => devtools.send('Fetch.disable');
  return arrivals;
}
