/*
 * obs.dll for the host: the calls of core/obs/libobs.py with the types of obs-studio's headers (obs.h, obs-source.h,
 * obs-properties.h, util/platform.h), and host_ functions with which the host looks at what arrived.
 */

#include "libobs.h"

#include <stdlib.h>
#include <string.h>

#define MOST_SOURCES 16
#define MOST_TASKS 256
#define DIALOG_BYTES 16384

struct obs_source {
    char name[256];
    long references;
    bool removed, unbuffered, decoupled;
    uint32_t width, height, line_bytes, dialogs;
    int format;
    bool full_range;
    uint64_t pictures, emptied, timestamp;
    unsigned char *pixels;
    void *data;
};

static struct obs_source sources[MOST_SOURCES];
static struct { obs_task_t task; void *param; } tasks[MOST_TASKS];
static int task_count;
static struct obs_source_info avatar;
static uint64_t frame_time;
static char dialog[DIALOG_BYTES];
static long data_objects;
static CRITICAL_SECTION lock;

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    (void)module, (void)reserved;
    if (reason == DLL_PROCESS_ATTACH)
        InitializeCriticalSection(&lock);
    return TRUE;
}

/* -- util/platform.h and obs.h ------------------------------------------------------------------------------------ */

EXPORT uint64_t os_gettime_ns(void)
{
    LARGE_INTEGER ticks, rate;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&rate);
    return (uint64_t)((double)ticks.QuadPart * 1e9 / (double)rate.QuadPart);
}

EXPORT uint64_t obs_get_video_frame_time(void)
{
    return frame_time;
}

EXPORT bool obs_get_video_info(struct obs_video_info *info)
{
    static const struct obs_video_info video = {"libobs-d3d11", 60, 1, 1280, 720, 1280, 720, 2, 0, true, 2, 1, 2};
    *info = video;
    return true;
}

EXPORT void obs_queue_task(int type, obs_task_t task, void *param, bool wait)
{
    (void)type, (void)wait;
    EnterCriticalSection(&lock);
    if (task_count < MOST_TASKS) {
        tasks[task_count].task = task;
        tasks[task_count++].param = param;
    }
    LeaveCriticalSection(&lock);
}

EXPORT void *obs_data_create(void)
{
    InterlockedIncrement(&data_objects);
    return malloc(1);
}

EXPORT void obs_data_release(void *data)
{
    if (data != NULL) {
        InterlockedDecrement(&data_objects);
        free(data);
    }
}

/* -- obs-source.h ------------------------------------------------------------------------------------------------- */

EXPORT void obs_register_source_s(const struct obs_source_info *info, size_t size)
{
    if (size >= offsetof(struct obs_source_info, unversioned_id) && info->create != NULL && info->destroy != NULL)
        memcpy(&avatar, info, size < sizeof avatar ? size : sizeof avatar);
}

EXPORT const char *obs_source_get_display_name(const char *id)
{
    return avatar.id != NULL && strcmp(id, avatar.id) == 0 ? avatar.get_name(avatar.type_data) : NULL;
}

static struct obs_source *find(const char *name)
{
    for (int place = 0; place < MOST_SOURCES; place++)
        if (strcmp(sources[place].name, name) == 0)
            return &sources[place];
    return NULL;
}

EXPORT struct obs_source *obs_get_source_by_name(const char *name)
{
    struct obs_source *source = find(name);
    if (source != NULL)
        InterlockedIncrement(&source->references);
    return source;
}

EXPORT void obs_source_release(struct obs_source *source)
{
    if (source != NULL)
        InterlockedDecrement(&source->references);
}

EXPORT bool obs_source_removed(const struct obs_source *source)
{
    return source->removed;
}

EXPORT void obs_source_set_async_unbuffered(struct obs_source *source, bool unbuffered)
{
    source->unbuffered = unbuffered;
}

EXPORT void obs_source_set_async_decoupled(struct obs_source *source, bool decoupled)
{
    source->decoupled = decoupled;
}

EXPORT void obs_source_update_properties(struct obs_source *source)
{
    source->dialogs++;
}

/* As libobs does, this copies the picture before it returns. */
EXPORT void obs_source_output_video(struct obs_source *source, const struct obs_source_frame *frame)
{
    EnterCriticalSection(&lock);
    if (frame == NULL) {
        source->emptied++;
    } else {
        size_t bytes = (size_t)frame->linesize[0] * frame->height;
        source->pixels = realloc(source->pixels, bytes);
        memcpy(source->pixels, frame->data[0], bytes);
        source->width = frame->width;
        source->height = frame->height;
        source->line_bytes = frame->linesize[0];
        source->format = frame->format;
        source->full_range = frame->full_range;
        source->timestamp = frame->timestamp;
        source->pictures++;
    }
    LeaveCriticalSection(&lock);
}

/* -- obs-properties.h: a dialog is its lines ---------------------------------------------------------------------- */

static void append(const char *text)
{
    strncat(dialog, text, DIALOG_BYTES - strlen(dialog) - 1);
}

EXPORT void *obs_properties_create(void)
{
    dialog[0] = 0;
    return dialog;
}

EXPORT void *obs_properties_add_text(void *properties, const char *name, const char *text, int type)
{
    (void)name, (void)type;
    append(text);
    append("\n");
    return properties;
}

EXPORT void *obs_properties_add_button2(void *properties, const char *name, const char *label, void *clicked, void *data)
{
    (void)name, (void)data;
    append(clicked != NULL ? "button: " : "no button: ");
    append(label);
    append("\n");
    return properties;
}

EXPORT void obs_property_text_set_info_type(void *property, int type)
{
    (void)property, (void)type;
}

/* -- the host's ----------------------------------------------------------------------------------------------------- */

EXPORT void host_begin_frame(void)
{
    frame_time = os_gettime_ns();
}

EXPORT int host_run_tasks(void)
{
    int done = 0;
    for (;;) {
        obs_task_t task;
        void *param;
        EnterCriticalSection(&lock);
        task = task_count ? tasks[0].task : NULL;
        param = tasks[0].param;
        if (task_count)
            memmove(tasks, tasks + 1, --task_count * sizeof tasks[0]);
        LeaveCriticalSection(&lock);
        if (task == NULL)
            return done;
        task(param);
        done++;
    }
}

EXPORT bool host_add_source(const char *name)
{
    struct obs_source *source = find("");
    if (source == NULL || avatar.id == NULL)
        return false;
    memset(source, 0, sizeof *source);
    strncpy(source->name, name, sizeof source->name - 1);
    source->data = avatar.create(NULL, source);
    return true;
}

/* What was shown last; pixels only when there is room for them. False: no such source. */
EXPORT bool host_look(const char *name, struct host_look *look, unsigned char *pixels, size_t room)
{
    struct obs_source *source = find(name);
    if (source == NULL)
        return false;
    EnterCriticalSection(&lock);
    look->width = source->width;
    look->height = source->height;
    look->line_bytes = source->line_bytes;
    look->format = source->format;
    look->references = source->references;
    look->pictures = source->pictures;
    look->emptied = source->emptied;
    look->timestamp = source->timestamp;
    look->full_range = source->full_range;
    look->immediate = source->unbuffered && source->decoupled;
    if (source->pixels != NULL && (size_t)source->line_bytes * source->height <= room)
        memcpy(pixels, source->pixels, (size_t)source->line_bytes * source->height);
    LeaveCriticalSection(&lock);
    return true;
}

EXPORT const char *host_open_dialog(void)
{
    return avatar.get_properties != NULL && avatar.get_properties(NULL) != NULL ? dialog : "";
}

/* After Python's end, as OBS does it. Gives the number of references and settings objects nobody gave back. */
EXPORT long host_destroy_sources(void)
{
    long left = 0;
    for (int place = 0; place < MOST_SOURCES; place++) {
        if (sources[place].name[0] == 0)
            continue;
        left += sources[place].references;
        avatar.destroy(sources[place].data);
        free(sources[place].pixels);
        sources[place].name[0] = 0;
    }
    return left + data_objects;
}
