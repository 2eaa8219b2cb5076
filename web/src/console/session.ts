// Who is signed in: an API token and its account, kept for this tab alone.

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { AccountApi, AppApi } from './api';
import { accountOf } from './api';
import { to } from './router';
import type { App } from './shapes';

const KEY = 'muster.console';

export interface SignedIn {
  token: string;
  account: string;
}

export function kept(): SignedIn | null {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Partial<SignedIn> | null;
    return found?.token && found.account ? { token: found.token, account: found.account } : null;
  } catch {
    return null;
  }
}

export async function signIn(token: string): Promise<SignedIn> {
  const signedIn = { token, account: await accountOf(token) };
  sessionStorage.setItem(KEY, JSON.stringify(signedIn));
  return signedIn;
}

export const signOut = (): void => sessionStorage.clear();

/** What every screen has. */
export interface Console {
  account: AccountApi;
  apps: App[];
  reloadApps: () => void;
  /** Begins every link that is handed out. */
  publicUrl: string;
}

const NONE = null as unknown as Console;
export const ConsoleContext = createContext<Console>(NONE);
export const useConsole = () => useContext(ConsoleContext);

/** What the screens of an app have. */
export interface InApp {
  api: AppApi;
  /** The address of one of its screens. */
  at: (...parts: string[]) => string;
}

export const AppContext = createContext<InApp>(null as unknown as InApp);
export const useApp = () => useContext(AppContext);

export const inApp = (account: AccountApi, id: string): InApp => ({
  api: account.app(id),
  at: (...parts) => to('apps', id, ...parts),
});
