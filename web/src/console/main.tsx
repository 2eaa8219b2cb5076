import { render } from 'preact';
import './style/base.css';
import './style/layout.css';
import './style/parts.css';
import './style/forms.css';
import './style/tables.css';
import './style/pictures.css';
import './style/screens.css';
import { Root } from './root';
import { startRouter } from './router';

startRouter();
render(<Root />, document.getElementById('root')!);
