/** Messages about unusable parameters and what is shown instead. */
export function Notices({ lines }: { lines: string[] }) {
  if (!lines.length) return null;
  return (
    <div className="trouble" role="alert">
      {lines.map((line) => <p key={line}>{line}</p>)}
    </div>
  );
}
