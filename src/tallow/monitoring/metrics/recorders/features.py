"""Record the use of features and of the web app."""

from __future__ import annotations

from tallow.monitoring.metrics import labels
from tallow.monitoring.metrics.recorders.base import Recorder


class FeatureRecorder(Recorder):
    """Records the metrics of features, settings, metadata removal and the web app."""

    def record_feature_usage(self, feature: str) -> None:
        """Record the use of a feature.

        Args:
            feature: the feature's name, registered with :meth:`register_feature`.

        Example:
            >>> metrics.register_feature("gift_wrap")
            True
            >>> metrics.record_feature_usage("gift_wrap")
            >>> metrics.value("feature_usage_total", feature="gift_wrap")
            1.0
        """
        self._add(self._families["feature_usage_total"], feature)

    def record_setting_change(self, setting: str) -> None:
        """Record that a user changed a setting. Its value is not recorded.

        Args:
            setting: the setting's name, registered with :meth:`register_setting`.

        Example:
            >>> metrics.record_setting_change("theme")
            >>> metrics.value("settings_changes_total", setting="theme")
            1.0
        """
        self._add(self._families["settings_changes_total"], setting)

    def record_metadata_stripped(self, mime_type: str | None, status: str) -> None:
        """Record that metadata such as EXIF was removed from a file before sending.

        Args:
            mime_type: of the file. Only its top-level type is recorded.
            status: ``success`` or ``failed``.

        Example:
            >>> metrics.record_metadata_stripped("image/jpeg", "success")
            >>> metrics.value("metadata_stripped_total", file_type="image", status="success")
            1.0
        """
        self._add(self._families["metadata_stripped_total"], (labels.file_type(mime_type), status))

    def record_service_worker_event(self, event: str) -> None:
        """Record an event of the web app's service worker.

        Args:
            event: ``install``, ``activate``, ``fetch``, ``sync``, ``push``, ``message`` or ``error``.

        Example:
            >>> metrics.record_service_worker_event("push")
            >>> metrics.value("service_worker_events_total", event="push")
            1.0
        """
        self._add(self._families["service_worker_events_total"], event)

    def record_pwa_install(self, platform: str) -> None:
        """Record an installation of the web app.

        Args:
            platform: ``desktop``, ``android``, ``ios`` or ``other``.

        Example:
            >>> metrics.record_pwa_install("android")
            >>> metrics.value("pwa_installs_total", platform="android")
            1.0
        """
        self._add(self._families["pwa_installs_total"], platform)

    def record_notification(self, notification_type: str, status: str) -> None:
        """Record a notification of the web app.

        Args:
            notification_type: ``transfer_request``, ``transfer_complete``, ``connection`` or ``other``.
            status: ``sent``, ``denied`` or ``failed``.

        Example:
            >>> metrics.record_notification("transfer_request", "sent")
            >>> metrics.value("notifications_sent_total", type="transfer_request", status="sent")
            1.0
        """
        self._add(self._families["notifications_sent_total"], (notification_type, status))

    def register_feature(self, feature: str) -> bool:
        """Allow a value of the label ``feature``, with series at 0.

        Args:
            feature: the feature's name.

        Returns:
            False if the limit of registered values is reached or ``feature`` is not a short printable text.

        Example:
            >>> metrics.register_feature("gift_wrap")
            True
        """
        return self.registry.register("feature", feature)

    def register_setting(self, setting: str) -> bool:
        """Allow a value of the label ``setting``, with series at 0.

        Args:
            setting: the setting's name.

        Returns:
            False if the limit of registered values is reached or ``setting`` is not a short printable text.

        Example:
            >>> metrics.register_setting("font_size")
            True
        """
        return self.registry.register("setting", setting)
