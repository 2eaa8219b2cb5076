import { render } from 'preact';

function Meet() {
  return (
    <main>
      <h1>Meeting</h1>
    </main>
  );
}

render(<Meet />, document.getElementById('root')!);
