import assert from 'node:assert/strict';

const REFUSED = [
  ['who is deactivated', 'dora@acme.example', 'Your account is switched off'],
  ['who has no role', 'nona@acme.example', 'Your account is for the mobile app only'],
  ['who is not provisioned', 'nick@acme.example', 'You don’t have an account here yet'],
];

export const refusals = {
  ...Object.fromEntries(REFUSED.map(([who, username, heading]) => [
    `${who} sees a page of their own with a number to give and ways on`,
    (visits) => isRefused(visits, username, heading),
  ])),

  ...Object.fromEntries(REFUSED.map(([who, username, heading]) => [
    `${who} can sign in with another account from there`,
    (visits) => takesAnotherAccount(visits, username, heading),
  ])),

  async 'who cancels at the tenant is told so and can try again'(visits) {
    const uli = await visits.visitor();
    await uli.open('/login/acme?prompt=consent');
    await uli.pass('uli@acme.example');
    await uli.sees('Permissions requested');

    await uli.press('Cancel');
    await uli.sees('The sign-in was cancelled');
    await uli.follow('Try again');

    await uli.sees('Welcome, Uli User');
  },

  async 'a sign-in address of no organization leads to the e-mail box'(visits) {
    const somebody = await visits.visitor();

    const answer = await somebody.open('/login/nowhere');
    await somebody.sees('We don’t know that organization');
    await somebody.follow('Start with your e-mail');

    await somebody.sees('Sign in');
    assert.equal(answer.status(), 404);
  },
};

async function isRefused(visits, username, heading) {
  const person = await visits.visitor();

  const [answer] = await Promise.all([
    person.page.waitForResponse((response) => response.status() === 403),
    person.signIn(username),
  ]);
  await person.sees(heading);

  const number = await person.page.locator('.reference code').innerText();
  const ways = await person.page.locator('.ways a').allInnerTexts();
  assert.match(number, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  assert.deepEqual(ways.toSorted(), ['Sign in with another account', 'Try again']);
  assert.match(await person.page.locator('main').innerText(), /administrator/);
  assert.match(answer.url(), /\/callback\?/);
  await person.open('/');
  await person.sees('Sign in');
}

async function takesAnotherAccount(visits, username, heading) {
  const person = await visits.visitor();
  await person.signIn(username);
  await person.sees(heading);

  await person.follow('Sign in with another account');
  await person.pass('uli@acme.example');

  await person.sees('Welcome, Uli User');
}
