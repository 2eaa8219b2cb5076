import assert from 'node:assert/strict';
import { Operator } from '../console.mjs';
import { suite, visits } from '../harness.mjs';

suite('meetings in the console', (site) => {
  visits(site, 'are made, changed, closed, opened and deleted', async (visit) => {
    const operator = await Operator.signIn(visit, site.server);
    await operator.press('New meeting');
    await operator.dialog('New meeting');
    const begins = await operator.page.evaluate(() => document.activeElement.name);
    assert.equal(begins, 'title', 'the first field has the focus');
    await operator.fill('Title', 'Board');
    await operator.fill('Keep the session for', '5');
    await operator.press('Create');
    await operator.reads('Must be at least 60');
    await operator.looksRight('meeting-faults');
    await operator.fill('Keep the session for', '90');
    await operator.front.getByText('Keep the chat from').click();
    await operator.front.getByText('Storage of recordings').click();
    await operator.choose('Upload to', 'sftp');
    await operator.fill('Host', 'files.example.org');
    await operator.fill('User', 'muster');
    await operator.fill('Password', 'secret');
    await operator.press('Create');
    await operator.noDialog();
    const [made] = await site.server.rest('GET', '/meetings?search=Board');
    assert.equal(made.session_keep_alive_time_in_secs, 90);
    assert.equal(made.persist_chat, true);
    assert.equal(made.recording_config.storage_config.host, 'files.example.org');

    await operator.press('Edit Board');
    await operator.dialog('Edit meeting');
    await operator.fill('Title', 'Board, spring');
    await operator.front.getByText('Transcript and summary').click();
    await operator.choose('Language', 'de');
    await operator.press('Save');
    await operator.noDialog();
    const changed = await site.server.rest('GET', `/meetings/${made.id}`);
    assert.deepEqual(changed.ai_config, { transcription: { language: 'de' } });
    assert.equal(changed.recording_config.storage_config.host, 'files.example.org', 'what was not touched stays');

    await operator.press('Deactivate Board, spring');
    await operator.row('Board, spring').getByText('Inactive').waitFor();
    await operator.press('Activate Board, spring');
    await operator.button('Deactivate Board, spring').waitFor();
    await operator.press('Delete Board, spring');
    await operator.dialog('Delete this meeting?');
    await operator.looksRight('meeting-delete');
    await operator.press('Delete');
    await operator.noDialog();
    await operator.hasRows('First meeting');
  });

  visits(site, 'are searched for and filtered', async (visit) => {
    const titles = ['Weekly planning', 'Customer webinar', 'Closed room'];
    for (const title of titles) {
      const { id } = await site.server.rest('POST', '/meetings', { title });
      if (title === 'Closed room') await site.server.rest('PATCH', `/meetings/${id}`, { status: 'INACTIVE' });
    }
    const operator = await Operator.signIn(visit, site.server);
    await operator.hasRows('Closed room', 'Customer webinar', 'Weekly planning', 'First meeting');
    await operator.looksRight('meetings');
    await operator.page.getByLabel('Search title or id').fill('webinar');
    await operator.hasRows('Customer webinar');
    await operator.page.reload();
    await operator.hasRows('Customer webinar');
    await operator.page.getByLabel('Search title or id').fill('');
    await operator.pick('Inactive');
    await operator.hasRows('Closed room');
    await operator.page.getByLabel('Search title or id').fill('nothing like it');
    await operator.reads('No meeting matches.');
    await operator.looksRight('meetings-empty');
    await operator.press('Show all');
    await operator.hasRows('Closed room', 'Customer webinar', 'Weekly planning', 'First meeting');
  });
});

suite('participants in the console', (site) => {
  const meeting = async (title, count) => {
    const { id } = await site.server.rest('POST', '/meetings', { title });
    for (let n = 1; n <= count; n += 1) {
      const body = { name: `Person ${n}`, custom_participant_id: `p-${n}`, preset_name: 'group_call_participant' };
      // Not to be asked for: initials stand in its place.
      body.picture = `https://pictures.example.org/${n}.png`;
      await site.server.rest('POST', `/meetings/${id}/participants`, body);
    }
    return id;
  };

  visits(site, 'are added, which gives a link that opens the meeting', async (visit) => {
    const id = await meeting('Interview', 0);
    const operator = await Operator.signIn(visit, site.server, `meetings/${id}`);
    await operator.reads('Nobody has been added yet.');
    await operator.press('Add participant');
    await operator.dialog('Add participant');
    await operator.fill('Name', 'Ada');
    await operator.press('Add');
    await operator.front.locator('[aria-invalid=true]').waitFor();
    await operator.looksRight('participant-faults');
    await operator.fill('Own id', 'ada@example.org');
    await operator.choose('Preset', 'group_call_host');
    await operator.press('Add');
    await operator.dialog('Join link for Ada');
    await operator.front.getByRole('img', { name: 'QR code' }).waitFor();
    await operator.looksRight('join-link');
    const link = await operator.link();
    assert.ok(link.startsWith(`${site.server.origin}/meet/${id}#token=eyJ`), link);
    await operator.press('Done');
    await operator.hasRows('ada@example.org');
    const guest = await visit();
    await guest.open(link);
    await guest.page.getByRole('button', { name: 'Join' }).waitFor();
  });

  visits(site, 'come in pages, are searched for, changed, given new links, and removed', async (visit) => {
    const id = await meeting('All hands', 60);
    const operator = await Operator.signIn(visit, site.server, `meetings/${id}`);
    await operator.reads('1–25 of 60');
    await operator.looksRight('participants');
    await operator.press('Next');
    await operator.reads('26–50 of 60');
    await operator.row('p-35').waitFor();
    await operator.press('Next');
    await operator.reads('51–60 of 60');
    await operator.row('p-10').waitFor();
    assert.ok(await operator.button('Next').isDisabled());
    await operator.press('Previous');
    await operator.row('p-35').waitFor();
    await operator.page.getByLabel('Search name or id').fill('Person 42');
    await operator.hasRows('p-42');

    await operator.press('Edit: Person 42');
    await operator.dialog('Edit participant');
    await operator.choose('Preset', 'group_call_guest');
    await operator.press('Save');
    await operator.noDialog();
    await operator.row('group_call_guest').waitFor();

    await operator.press('Join link: Person 42');
    await operator.dialog('Join link for Person 42');
    await operator.choose('Works for', '3600');
    await operator.press('Make link');
    const link = await operator.link();
    const claims = JSON.parse(Buffer.from(link.split('#token=')[1].split('.')[1], 'base64url'));
    assert.equal(claims.exp - claims.iat, 3600);
    await operator.press('Done');

    await operator.press('Remove: Person 42');
    await operator.dialog('Remove this participant?');
    await operator.press('Remove');
    await operator.noDialog();
    await operator.reads('Nobody matches.');
  });
});

suite('join links at a plain address', (site) => {
  visits(site, 'come with a warning', async (visit) => {
    const operator = await Operator.signIn(visit, site.server);
    const settings = { public_url: 'http://meet.example.test', base_domain: 'localhost', dev: false };
    await operator.page.route('**/settings.json', (route) => route.fulfill({ json: settings }));
    await operator.goes(`meetings/${site.server.told.meeting}`);
    await operator.press('Join link: Ada');
    await operator.press('Make link');
    await operator.reads('neither https nor localhost');
    const link = await operator.link();
    assert.ok(link.startsWith('http://meet.example.test/meet/'), link);
    await operator.looksRight('join-link-warning');
  });
});
