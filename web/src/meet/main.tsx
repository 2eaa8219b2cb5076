import { render } from 'preact';
import { MeetPage } from './page';

const root = document.getElementById('root')!;
root.replaceChildren();
render(<MeetPage />, root);
