import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { settings } from '../settings';
import { AccountApi } from './api';
import { useLoad } from './hooks';
import { Http } from './http';
import { ProgressLine, Spinner } from './parts/spinner';
import { Failed } from './parts/table';
import { Toasts } from './parts/toast';
import { go, to, usePlace } from './router';
import { AppContext, ConsoleContext, inApp, kept, signOut, useConsole, type SignedIn } from './session';
import { Shell } from './shell';
import { Analytics } from './screens/analytics';
import { Apps } from './screens/apps';
import { MeetingScreen } from './screens/meeting';
import { Meetings } from './screens/meetings';
import { NotFound } from './screens/not-found';
import { PresetScreen } from './screens/preset';
import { Presets } from './screens/presets';
import { SessionScreen } from './screens/session';
import { Sessions } from './screens/sessions';
import { SignIn } from './screens/sign-in';
import { Tokens } from './screens/tokens';
import { WebhookScreen } from './screens/webhook';
import { Webhooks } from './screens/webhooks';

export function Root() {
  const [signedIn, setSignedIn] = useState(kept);
  const [why, setWhy] = useState<string>();
  const leave = useCallback((reason?: string) => {
    signOut();
    setWhy(reason);
    setSignedIn(null);
  }, []);
  return (
    <>
      <ProgressLine />
      {signedIn ? (
        <Everything key={signedIn.token} signedIn={signedIn} leave={leave} />
      ) : (
        <SignIn why={why} onSignedIn={setSignedIn} />
      )}
      <Toasts />
    </>
  );
}

function Everything({ signedIn, leave }: { signedIn: SignedIn; leave: (reason?: string) => void }) {
  const account = useMemo(() => {
    const http = new Http(signedIn.token, () =>
      leave('The API token is no longer good. It has expired or was revoked.'),
    );
    return new AccountApi(http, signedIn.account);
  }, [signedIn, leave]);
  const apps = useLoad((signal) => account.apps(signal), [account]);
  const told = useLoad(() => settings().catch(() => null), []);
  const publicUrl = told.data?.public_url ?? location.origin;
  const context = useMemo(
    () => ({ account, apps: apps.data?.items ?? [], reloadApps: apps.reload, publicUrl }),
    [account, apps.data, apps.reload, publicUrl],
  );
  if (apps.error && !apps.data) {
    return (
      <main class="alone">
        <Failed error={apps.error} onRetry={apps.reload} />
        <button type="button" class="button" onClick={() => leave()}>
          Sign out
        </button>
      </main>
    );
  }
  if (!apps.data || told.loading) {
    return (
      <main class="alone">
        <Spinner on label="Loading" />
      </main>
    );
  }
  return (
    <ConsoleContext.Provider value={context}>
      <Screens leave={leave} />
    </ConsoleContext.Provider>
  );
}

const LAST_APP = 'muster.app';

function Screens({ leave }: { leave: () => void }) {
  const { account, apps } = useConsole();
  const { parts } = usePlace();
  const [first, appId, ...rest] = parts;
  const app = first === 'apps' ? appId : undefined;
  const recent = apps.find(({ id }) => id === (app ?? sessionStorage.getItem(LAST_APP)))?.id ?? apps[0]?.id;
  useEffect(() => {
    if (app && app === recent) sessionStorage.setItem(LAST_APP, app);
    if (parts.length === 0) go(recent ? to('apps', recent, 'meetings') : to('apps'), { replace: true });
  }, [parts.length, app, recent]);
  const context = useMemo(() => inApp(account, app ?? recent ?? ''), [account, app, recent]);
  return (
    <AppContext.Provider value={context}>
      <Shell app={recent} here={(app ? rest[0] : first) ?? ''} leave={leave}>
        {app ? (
          <InApp key={app} known={app === recent} parts={rest} />
        ) : (
          <OfAccount first={first} more={parts.length > 1} />
        )}
      </Shell>
    </AppContext.Provider>
  );
}

function OfAccount({ first, more }: { first: string | undefined; more: boolean }) {
  if (first === undefined) return null;
  if (first === 'apps' && !more) return <Apps />;
  if (first === 'tokens' && !more) return <Tokens />;
  return <NotFound />;
}

function InApp({ known, parts: [first, id, ...rest] }: { known: boolean; parts: string[] }) {
  if (!known || rest.length > 0) return <NotFound />;
  if (id === undefined) {
    switch (first) {
      case 'meetings':
        return <Meetings />;
      case 'sessions':
        return <Sessions />;
      case 'presets':
        return <Presets />;
      case 'webhooks':
        return <Webhooks />;
      case 'analytics':
        return <Analytics />;
    }
  } else {
    switch (first) {
      case 'meetings':
        return <MeetingScreen key={id} id={id} />;
      case 'sessions':
        return <SessionScreen key={id} id={id} />;
      case 'presets':
        return <PresetScreen key={id} id={id} />;
      case 'webhooks':
        return <WebhookScreen key={id} id={id} />;
    }
  }
  return <NotFound />;
}
