const MS_PER_HOUR = 3_600_000;
const MS_PER_MINUTE = 60_000;

const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');

/** `HH:MM:SS` and thousandths of a second after the separator that the format asks for. */
export function cueTime(ms: number, separator: ',' | '.'): string {
  const whole = Math.max(0, Math.round(ms));
  const clock = [whole / MS_PER_HOUR, (whole / MS_PER_MINUTE) % 60, (whole / 1000) % 60].map(two).join(':');
  return `${clock}${separator}${String(whole % 1000).padStart(3, '0')}`;
}

/** `3:07` or `1:02:45`, as people write a position in a recording. */
export function clockTime(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const seconds = two(whole % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${seconds}` : `${minutes}:${seconds}`;
}
