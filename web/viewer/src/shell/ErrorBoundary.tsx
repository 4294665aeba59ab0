import { Component, type ReactNode } from 'react';

interface Props {
  /** What cannot be drawn, at the beginning of the sentence. */
  what: string;
  children: ReactNode;
}

/** Shows the error where its children cannot be drawn, and leaves the rest of the page alone. */
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
