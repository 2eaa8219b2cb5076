// Bars, one a day.

import { useId } from 'preact/hooks';
import { day, number } from '../format';

export interface BarsProps {
  title: string;
  total: string;
  /** Days in order, each with its value. */
  of: { day: string; value: number }[];
  /** What a value counts. */
  unit: string;
}

const HEIGHT = 150;

/** The next of 1, 2, 5, 10, 20, 50 …: where the scale ends. */
export function scaleEnd(most: number): number {
  if (most <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((end) => end >= most) ?? most;
}

export function Bars({ title, total, of: days, unit }: BarsProps) {
  const id = useId();
  const end = scaleEnd(Math.max(0, ...days.map(({ value }) => value)));
  const width = 100 / Math.max(days.length, 1);
  const height = (value: number): number => (HEIGHT * value) / end;
  const first = days[0];
  const last = days.at(-1);
  return (
    <section class="chart" aria-labelledby={id}>
      <div class="chart-head">
        <h2 id={id}>{title}</h2>
        <span class="chart-total">{total}</span>
      </div>
      <div class="chart-plot">
        <div class="chart-scale" aria-hidden="true">
          <span>{number(end)}</span>
          <span>{number(end / 2)}</span>
          <span>0</span>
        </div>
        <svg height={HEIGHT} role="img" aria-label={`${title} a day; the table below has the numbers`}>
          {[0, 0.5, 1].map((share) => (
            <line key={share} class="chart-grid" x1="0" x2="100%" y1={HEIGHT * share} y2={HEIGHT * share} />
          ))}
          {days.map((of, index) => (
            <g key={of.day} class="chart-day">
              <title>{`${day(of.day)}: ${number(of.value)} ${unit}`}</title>
              <rect class="chart-ground" x={`${index * width}%`} width={`${width}%`} y={0} height={HEIGHT} />
              {of.value > 0 && (
                <rect
                  class="chart-bar"
                  x={`${(index + 0.14) * width}%`}
                  width={`${0.72 * width}%`}
                  y={HEIGHT - Math.max(height(of.value), 2)}
                  height={Math.max(height(of.value), 2)}
                  rx={2}
                />
              )}
            </g>
          ))}
        </svg>
        <div class="chart-days" aria-hidden="true">
          <span>{first && day(first.day)}</span>
          <span>{last && day(last.day)}</span>
        </div>
      </div>
      <details>
        <summary>As a table</summary>
        <table class="table">
          <caption class="unseen">{title} a day</caption>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col" class="right">
                {title}
              </th>
            </tr>
          </thead>
          <tbody>
            {days
              .filter(({ value }) => value > 0)
              .map((of) => (
                <tr key={of.day}>
                  <td>{day(of.day)}</td>
                  <td class="right">{number(of.value)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}
