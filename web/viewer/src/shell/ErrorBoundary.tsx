import { Component, type ReactNode } from 'react';

interface Props {
  /** The subject of the message, at the beginning of a sentence: "This panel". */
  what: string;
  children: ReactNode;
}

/** Shows an error in place of children that fail to render; the rest of the page stays. */
export class ErrorBoundary extends Component<Props, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return <p className="empty error">{this.props.what} cannot be drawn: {this.state.error.message}</p>;
  }
}
