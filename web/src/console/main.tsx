import { render } from 'preact';

function Console() {
  return (
    <main>
      <h1>Muster</h1>
    </main>
  );
}

render(<Console />, document.getElementById('root')!);
