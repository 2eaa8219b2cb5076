import { useEffect, useState } from 'preact/hooks';
import { useAction } from '../hooks';
import { ApiError } from '../http';
import { Form, TextField } from '../parts/form';
import { signIn, type SignedIn } from '../session';
import { Mark } from '../shell';

export function SignIn({ why, onSignedIn }: { why: string | undefined; onSignedIn: (signedIn: SignedIn) => void }) {
  const [token, setToken] = useState('');
  const [shown, setShown] = useState(false);
  const action = useAction();
  useEffect(() => {
    document.title = 'Sign in · Muster';
  }, []);
  const onSubmit = async () => {
    const text = token.trim();
    if (text === '') throw new ApiError(400, '', [{ field: 'token', message: 'Paste an API token.' }]);
    try {
      onSignedIn(await signIn(text));
    } catch (problem) {
      if (problem instanceof ApiError && (problem.status === 401 || problem.status === 400)) {
        const message = 'This API token does not work. It may be mistyped, expired or revoked.';
        throw new ApiError(401, message, [{ field: 'token', message }]);
      }
      throw problem;
    }
  };
  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <div class="sign-in-brand">
          <Mark />
          <h1>Muster console</h1>
        </div>
        {why && (
          <p class="notice warn" role="alert">
            {why}
          </p>
        )}
        <Form action={action} submit="Sign in" onSubmit={onSubmit}>
          <TextField
            label="API token"
            name="token"
            type={shown ? 'text' : 'password'}
            value={token}
            onValue={setToken}
            required
            autofocus
            code
            placeholder="muster_…"
            hint="Kept in this tab until you close it or sign out."
          />
          <label class="inline-check">
            <input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} /> Show
            the token
          </label>
        </Form>
        <details class="help">
          <summary>Where do I get a token?</summary>
          <p>
            <code>make run</code> prints one that works for a day. On a server, make one with
          </p>
          <pre>muster token create --account-id NAME --permission realtime-admin</pre>
        </details>
      </div>
    </main>
  );
}
