import assert from 'node:assert/strict';

export const signIns = {
  async 'a person chooses an organization, signs in and stands on the portal'(visits) {
    const uli = await visits.visitor();

    await uli.open('/');
    await uli.sees('Sign in');
    await uli.follow('Sign in to Acme Works');
    await uli.pass('uli@acme.example');
    await uli.sees('Welcome, Uli User');

    assert.equal(uli.place(), '/');
    assert.equal(await uli.value('Name'), 'Uli User');
    assert.equal(await uli.value('E-mail'), 'uli@acme.example');
    assert.equal(await uli.value('Organization'), 'Acme Works');
    assert.match(await uli.value('Role'), /^User\n/);
    await uli.reads('Demo: a simulated tenant, nothing here is real');
  },

  async 'who signs out is signed out here and at the tenant, and the portal asks again'(visits) {
    const rea = await visits.visitor();
    await rea.signIn('rea@globex.example');
    await rea.sees('Welcome, Rea Reader');

    await rea.press('Sign out');
    await rea.sees('You are signed out');
    await rea.reads('Your session has ended.');
    await rea.open('/');
    await rea.sees('Sign in');
    assert.equal(rea.place(), '/login');
    await rea.follow('Sign in to Globex Lodging');
    await rea.sees('Pick an account');

    assert.equal(await rea.page.getByText('Signed in').count(), 0);
  },

  async 'a session lasts over a second window, and one sign-out ends both'(visits) {
    const enza = await visits.visitor();
    await enza.signIn('enza@acme.example');
    await enza.sees('Welcome, Enza Enterprise');
    const first = enza.page;

    enza.page = await enza.context.newPage();
    await enza.open('/');
    await enza.sees('Welcome, Enza Enterprise');
    await enza.press('Sign out');
    await enza.sees('You are signed out');
    await first.reload();

    assert.equal(new URL(first.url()).pathname, '/login');
  },

  async 'a work e-mail finds its organization and goes along to the tenant'(visits) {
    const udo = await visits.visitor();

    await udo.open('/login');
    await udo.type('Work e-mail', 'udo@globex.example');
    await udo.press('Continue');
    await udo.reads('Globex Lodging');
    await udo.password('udo@globex.example');

    await udo.sees('Welcome, Udo User');
  },

  async 'an e-mail of no organization stays typed and is told why'(visits) {
    const somebody = await visits.visitor();

    await somebody.open('/login?return_to=%2Faccount%2Fsessions');
    await somebody.type('Work e-mail', 'somebody@nowhere.example');
    await somebody.press('Continue');
    await somebody.page.getByRole('alert').waitFor();

    const box = somebody.page.getByLabel('Work e-mail', { exact: true });
    const alert = await somebody.page.getByRole('alert').innerText();
    assert.match(alert, /^No organization here uses that domain\./);
    assert.equal(await box.inputValue(), 'somebody@nowhere.example');
    assert.equal(await box.getAttribute('aria-invalid'), 'true');
    assert.equal(new URL(somebody.page.url()).searchParams.get('return_to'), '/account/sessions');
  },

  async 'a wrong password is told at the tenant and the right one still goes in'(visits) {
    const ada = await visits.visitor();

    await ada.open('/login/acme');
    await ada.page.locator('button[value="ada@acme.example"]').click();
    await ada.type('Password', 'not-the-password');
    await ada.press('Sign in');
    await ada.page.getByRole('alert').waitFor();
    await ada.password('ada@acme.example');

    await ada.sees('Welcome, Ada Admin');
  },

  async 'everything works without JavaScript'(visits) {
    const uli = await visits.visitor({ javaScriptEnabled: false });

    await uli.open('/');
    await uli.type('Work e-mail', 'uli@acme.example');
    await uli.press('Continue');
    await uli.password('uli@acme.example');
    await uli.sees('Welcome, Uli User');
    await uli.press('Sign out');

    await uli.sees('You are signed out');
  },

  async 'the keyboard alone signs in and out, and the focus is always to be seen'(visits) {
    const ada = await visits.visitor();
    const { keyboard } = ada.page;
    await ada.open('/');

    await tabTo(ada, 'Work e-mail');
    await keyboard.type('ada@acme.example');
    await keyboard.press('Enter');
    await ada.sees('Enter password');
    await tabTo(ada, 'Password', 0);
    await keyboard.type(ada.demo.person('ada@acme.example').password);
    await keyboard.press('Enter');
    await ada.sees('Welcome, Ada Admin');
    await tabTo(ada, 'Sign out');
    await keyboard.press('Enter');

    await ada.sees('You are signed out');
    await tabTo(ada, 'Sign in again');
  },
};

/** Presses Tab until the control of that name has the focus; it shows at every stop. */
async function tabTo(visitor, name, most = 12) {
  for (let presses = 0; presses <= most; presses += 1) {
    if (presses > 0) await visitor.page.keyboard.press('Tab');
    const focused = await visitor.page.evaluate(focus);
    if (presses > 0 || most === 0) assert.ok(focused.isOutlined, `no outline at ${focused.name}`);
    if (focused.name === name) return;
  }
  assert.fail(`Tab does not reach ${name}`);
}

function focus() {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  return {
    name: element.labels?.[0]?.innerText ?? element.innerText,
    isOutlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
  };
}
